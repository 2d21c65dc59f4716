import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { Duplex } from 'node:stream';
import test from 'node:test';
import { FrameReader } from '../../../server/ipc/frame-reader.ts';
import { FrameWriter, MOST_FRAME_BYTES } from '../../../server/ipc/frames.ts';
import { readFromHost } from '../../../server/ipc/from-host.ts';
import { readFromWorker } from '../../../server/ipc/from-worker.ts';
import { HostKind, WorkerKind } from '../../../server/ipc/kinds.ts';
import { ToHost } from '../../../server/ipc/to-host.ts';
import { ToWorker } from '../../../server/ipc/to-worker.ts';
import { hostExamples, recorder, workerExamples } from './examples.ts';

/** The bytes of one frame of each kind, for authors of a worker in another language. */
const GOLDEN = new URL('golden/', import.meta.url);

interface Row {
  readonly offset: number;
  readonly bytes: Buffer;
  readonly meaning: string;
}

/** A head line `name (number): direction`, prose, and rows of offset, bytes and meaning. */
function golden(name: string): { head: string; rows: readonly Row[]; bytes: Buffer } {
  const lines = readFileSync(new URL(`${name}.txt`, GOLDEN), 'utf8').split('\n');
  const rows = lines.flatMap((line): Row[] => {
    const [, offset, hex = '', meaning = ''] = /^ *(\d+) {2}((?:[0-9a-f]{2} )+) *(.*)$/.exec(line) ?? [];
    return offset === undefined ? [] : [{ offset: Number(offset), bytes: Buffer.from(hex.replaceAll(' ', ''), 'hex'), meaning }];
  });
  return { head: lines[0] ?? '', rows, bytes: Buffer.concat(rows.map(({ bytes }) => bytes)) };
}

function written(write: (frames: FrameWriter) => void): Buffer {
  const chunks: Buffer[] = [];
  const pipe = new Duplex({
    write: (chunk: Buffer, _encoding, done) => {
      chunks.push(chunk);
      done();
    },
  });
  const frames = new FrameWriter(pipe, () => undefined);
  write(frames);
  frames.flush();
  return Buffer.concat(chunks);
}

/** The one frame of these bytes. */
function frameOf(bytes: Buffer): { readonly id: number; readonly kind: number; readonly payload: Buffer } {
  const frames: { id: number; kind: number; payload: Buffer }[] = [];
  new FrameReader((id, kind, payload) => frames.push({ id, kind, payload }), MOST_FRAME_BYTES).feed(bytes);
  const [frame] = frames;
  assert.ok(frame !== undefined && frames.length === 1, 'one frame');
  return frame;
}

/** The number that a row of a number must show; undefined: it is text. */
function numberIn({ bytes, meaning }: Row): number | undefined {
  if (meaning.startsWith('f64 ')) return bytes.readDoubleLE();
  return /^u(?:8|16|32) /.test(meaning) ? bytes.readUIntLE(0, bytes.length) : undefined;
}

function checkMeanings(rows: readonly Row[]): void {
  let offset = 0;
  for (const row of rows) {
    assert.equal(row.offset, offset, row.meaning);
    offset += row.bytes.length;
    const number = numberIn(row);
    if (number !== undefined) assert.match(row.meaning, new RegExp(`: ${number}(?:$|[ ,])`));
    else assert.ok(row.meaning.endsWith(JSON.stringify(row.bytes.toString()).slice(1, -1).replaceAll('\\"', '"')), row.meaning);
  }
}

for (const [name, example] of Object.entries(hostExamples)) {
  const kind = Object.entries(HostKind).find(([each]) => each === name)?.[1] ?? Number.NaN;
  test(`the host writes ${name}, and a worker reads it, as the golden bytes have it`, () => {
    const { head, rows, bytes } = golden(name);
    assert.equal(head, `${name} (${kind}): host -> worker`);
    checkMeanings(rows);
    assert.deepEqual(
      written((frames) => example.write(new ToWorker(frames))),
      bytes,
    );
    const { calls, host } = recorder();
    const frame = frameOf(bytes);
    readFromHost(host, frame.id, frame.kind, frame.payload);
    assert.deepEqual(calls, [example.read]);
  });
}

for (const [name, example] of Object.entries(workerExamples)) {
  const kind = Object.entries(WorkerKind).find(([each]) => each === name)?.[1] ?? Number.NaN;
  test(`a worker writes ${name}, and the host reads it, as the golden bytes have it`, () => {
    const { head, rows, bytes } = golden(name);
    assert.equal(head, `${name} (${kind}): worker -> host`);
    checkMeanings(rows);
    assert.deepEqual(
      written((frames) => example.write(new ToHost(frames))),
      bytes,
    );
    const { calls, worker } = recorder();
    const frame = frameOf(bytes);
    readFromWorker(worker, frame.id, frame.kind, frame.payload);
    assert.deepEqual(calls, [example.read]);
  });
}

test('every kind has a file of golden bytes, and no file is without a kind', () => {
  assert.deepEqual(
    readdirSync(GOLDEN).toSorted(),
    Object.keys({ ...HostKind, ...WorkerKind })
      .map((name) => `${name}.txt`)
      .toSorted(),
  );
});

test('no number is the kind of two messages, and each side refuses the kinds of the other', () => {
  const numbers = [...Object.values(HostKind), ...Object.values(WorkerKind)];
  assert.equal(new Set(numbers).size, numbers.length);
  const { host, worker } = recorder();
  const nothing = Buffer.alloc(0);
  for (const kind of [0, 99, 255, ...Object.values(WorkerKind)])
    assert.throws(() => readFromHost(host, 1, kind, nothing), { name: 'FrameError', message: /which a host does not send/ });
  for (const kind of [0, 99, 255, ...Object.values(HostKind)])
    assert.throws(() => readFromWorker(worker, 1, kind, nothing), { name: 'FrameError', message: /which workers do not send/ });
});

test('the table of kinds in the description of the wire is that of the code', () => {
  const readme = readFileSync(new URL('../../../server/ipc/README.md', import.meta.url), 'utf8');
  const rows = Array.from(readme.matchAll(/^\| (\d+) \| `(\w+)` \| (host|worker) \|/gm), ([, kind, name, from]) => [
    Number(kind),
    name,
    from,
  ]);
  assert.deepEqual(rows, [
    ...Object.entries(HostKind).map(([name, kind]) => [kind, name, 'host']),
    ...Object.entries(WorkerKind).map(([name, kind]) => [kind, name, 'worker']),
  ]);
});
