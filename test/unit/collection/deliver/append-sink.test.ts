import assert from 'node:assert/strict';
import test from 'node:test';
import { AppendSink, Taken, type Appendable, type RollLimits, type Storage } from '../../../../server/collection/deliver/append-sink.ts';
import { SinkError } from '../../../../server/collection/deliver/sink.ts';
import type { Payload } from '../../../../server/collection/encode/block.ts';
import type { Stream } from '../../../../server/collection/encode/layout.ts';
import { block } from '../blocks.ts';

const never = new AbortController().signal;

/** Files in memory. */
class Memory implements Storage {
  readonly name = 'memory';
  readonly files = new Map<string, string>();
  /** Names that another process has. */
  readonly taken = new Set<string>();
  /** All calls, in their order. */
  readonly calls: string[] = [];
  /** Thrown by the next append. */
  failure: Error | undefined;

  reference(name: string): string {
    return `/root/${name}`;
  }

  create(name: string): Promise<Appendable | undefined> {
    this.calls.push(`create ${name}`);
    if (this.taken.has(name)) return Promise.resolve(undefined);
    this.files.set(name, '');
    const file: { -readonly [Member in keyof Appendable]: Appendable[Member] } = {
      offset: 0,
      blocks: 0,
      append: async (pieces) => {
        const { failure } = this;
        this.failure = undefined;
        if (failure !== undefined) throw failure;
        const text = Buffer.concat(pieces).toString();
        this.files.set(name, (this.files.get(name) ?? '') + text);
        file.offset += text.length;
        file.blocks++;
      },
      close: async () => void this.calls.push(`close ${name}`),
    };
    return Promise.resolve(file);
  }

  async put({ name }: Payload): Promise<void> {
    this.calls.push(`put ${name}`);
  }
}

const stream = (own: Partial<Stream> = {}): Stream => ({ folder: 'f', name: 'me', ownName: 'me', extension: 'jsonl', header: '', ...own });

function open(limits?: RollLimits): {
  readonly memory: Memory;
  readonly write: (text: string, to?: Stream) => Promise<void>;
  readonly sink: AppendSink;
} {
  const memory = new Memory();
  const sink = new AppendSink(memory, limits);
  const write = (text: string, to = stream()): Promise<void> => sink.write({ stream: to, pieces: [Buffer.from(text)], blocks: [] }, never);
  return { memory, sink, write };
}

test('batches of a stream are appended to one file, and each stream has its own', async () => {
  const { memory, sink, write } = open();
  for (const text of ['a', 'b']) await write(text);
  await write('c', stream({ folder: 'g' }));
  await write('d');
  assert.deepEqual(Object.fromEntries(memory.files), { 'f/me.jsonl': 'abd', 'g/me.jsonl': 'c' });
  assert.deepEqual([sink.name, sink.reference('x')], ['memory', '/root/x']);
  await sink.close();
  assert.deepEqual(memory.calls.slice(-2).toSorted(), ['close f/me.jsonl', 'close g/me.jsonl']);
});

test('a file that is full is followed by another, by blocks and by size', async () => {
  for (const limits of [
    { blocks: 2, bytes: 1000 },
    { blocks: 1000, bytes: 2 },
  ]) {
    const { memory, write } = open(limits);
    for (const text of ['a', 'b', 'c', 'd', 'e']) await write(text);
    assert.deepEqual(Object.fromEntries(memory.files), { 'f/me.jsonl': 'ab', 'f/me-1.jsonl': 'cd', 'f/me-2.jsonl': 'e' });
    assert.ok(memory.calls.indexOf('close f/me.jsonl') < memory.calls.indexOf('create f/me-1.jsonl'));
  }
});

test("names that another process has are passed over; a stream's first name may be shared, the others are its own", async () => {
  const { memory, write } = open();
  memory.taken.add('f/me.jsonl').add('f/me-1.jsonl');
  await write('a');
  assert.deepEqual(Object.fromEntries(memory.files), { 'f/me-2.jsonl': 'a' });
  const shared = stream({ name: 'inputs', ownName: 'inputs-me', extension: 'csv' });
  memory.taken.add('f/inputs.csv');
  await write('a', shared);
  assert.equal(memory.files.get('f/inputs-me.csv'), 'a');
});

test('a header is the first line of each file', async () => {
  const { memory, write } = open({ blocks: 2, bytes: 1000 });
  const rows = stream({ extension: 'csv', header: 'x\r\n' });
  for (const text of ['1\r\n', '2\r\n', '3\r\n']) await write(text, rows);
  assert.deepEqual([...memory.files.values()], ['x\r\n1\r\n2\r\n', 'x\r\n3\r\n']);
});

test('after a failure the same batch goes to the same file; where another process has taken that, to a new one', async () => {
  const { memory, write } = open();
  await write('a');
  memory.failure = new SinkError('busy', 'not now');
  await assert.rejects(write('b'), { code: 'busy' });
  await write('b');
  assert.deepEqual(Object.fromEntries(memory.files), { 'f/me.jsonl': 'ab' });
  memory.failure = new Taken('deleted');
  await write('c');
  assert.equal(memory.files.get('f/me-1.jsonl'), 'c');
  assert.ok(memory.calls.includes('close f/me.jsonl'));
});

test('at most 32 files are open: the one that was used least recently is closed', async () => {
  const { memory, write } = open();
  for (let n = 0; n < 32; n++) await write('a', stream({ folder: String(n) }));
  await write('b', stream({ folder: '0' }));
  assert.ok(!memory.calls.some((call) => call.startsWith('close')));
  await write('a', stream({ folder: '32' }));
  assert.deepEqual(
    memory.calls.filter((call) => call.startsWith('close')),
    ['close 1/me.jsonl'],
  );
  // A file that was closed is not continued, because another process may have its name by now.
  await write('b', stream({ folder: '1' }));
  assert.equal(memory.files.get('1/me-1.jsonl'), 'b');
});

test('payloads are stored before the lines that refer to them', async () => {
  const { memory, sink } = open();
  const payload = (name: string): Payload => ({ name, contentType: 'image/png', body: Buffer.alloc(1) });
  const blocks = [block(1, payload('p1')), block(2, payload('p2'))];
  await sink.write({ stream: stream(), pieces: blocks.map(({ data }) => data), blocks }, never);
  assert.deepEqual(memory.calls, ['put p1', 'put p2', 'create f/me.jsonl']);
});
