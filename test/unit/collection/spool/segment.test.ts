import assert from 'node:assert/strict';
import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { countRecords, Segment, type Chunk } from '../../../../server/collection/spool/segment.ts';
import { block, folder, idsOf } from '../blocks.ts';

const payload = { name: 'a/b.bin', contentType: 'image/png', body: Buffer.from([1, 2, 3]) };
const noFile = (): string => assert.fail('no file is needed');

/** A closed segment with these lines. */
function written(t: TestContext, ...numbers: readonly number[]): Segment {
  const segment = new Segment(join(folder(t), '000001.jsonl'));
  for (const n of numbers) segment.append(block(n), noFile);
  segment.close();
  return segment;
}

function read(segment: Segment): Chunk {
  const chunk = segment.read();
  assert.ok(chunk !== undefined);
  return chunk;
}

const idsIn = ({ blocks }: Chunk): string[] => blocks.flatMap(({ data }) => idsOf(data));

test('lines are on disk as they are, and are read back as one block', (t) => {
  const segment = written(t, 1, 2);
  const lines = Buffer.concat([block(1).data, block(2).data]);
  assert.deepEqual(readFileSync(segment.path), lines);
  assert.equal(segment.bytes, lines.length);
  const { blocks, end, files, payloadBytes } = read(segment);
  assert.deepEqual([end, files, payloadBytes], [lines.length, [], 0]);
  assert.deepEqual(blocks, [{ ...block(1), data: lines, records: 2 }]);
});

test('a chunk comes again until it is delivered, also to a later process', (t) => {
  const segment = written(t, 1);
  assert.deepEqual(idsIn(read(segment)), ['1']);
  const chunk = read(segment);
  segment.append(block(2), noFile);
  segment.delivered(chunk);
  segment.close();
  assert.deepEqual(idsIn(read(segment)), ['2']);
  const later = new Segment(segment.path);
  assert.equal(later.bytes, statSync(segment.path).size);
  assert.deepEqual(idsIn(read(later)), ['2']);
  later.delivered(read(later));
  assert.equal(new Segment(segment.path).read(), undefined);
});

test('a payload is a file beside the lines until its chunk is delivered', (t) => {
  const segment = new Segment(join(folder(t), '000001.jsonl'));
  const bytes = segment.append(block(1, payload), () => 'payload000001');
  segment.append(block(2), noFile);
  segment.close();
  const file = join(dirname(segment.path), 'payload000001');
  assert.deepEqual(readFileSync(file), payload.body);
  assert.equal(bytes, segment.bytes - block(2).data.length + payload.body.length);
  assert.equal(countRecords(segment.path), 2);
  const chunk = read(segment);
  assert.deepEqual(
    chunk.blocks.map(({ payloads }) => payloads),
    [[payload], []],
  );
  assert.deepEqual([chunk.files, chunk.payloadBytes], [[file], 3]);
  segment.delivered(chunk);
  assert.ok(!existsSync(file));
});

/** The segment as a later process finds it. */
function found(path: string): Segment {
  const segment = new Segment(path);
  segment.count();
  return segment;
}

test('half a line, another text, and half a line of a payload with its record are damaged; the others are read', (t) => {
  const written1 = written(t, 1);
  const whole = block(2).data.toString();
  for (const torn of [
    `${whole.slice(0, 40)}\n`,
    'text\n',
    '\n',
    '#payload {"file":\n',
    whole,
    block(3).data.toString(),
    whole.slice(0, -5),
  ])
    appendFileSync(written1.path, torn);
  const segment = found(written1.path);
  assert.deepEqual(Object.fromEntries(segment.records), { rows: 3, unknown: 3 });
  const chunk = read(segment);
  assert.deepEqual(idsIn(chunk), ['1', '3']);
  segment.delivered(chunk);
  assert.equal(segment.read(), undefined);
  // What it has, and does not give.
  assert.deepEqual(Object.fromEntries(segment.records), { rows: 1, unknown: 3 });
});

test('a record whose payload cannot be read is damaged, because its reference would lead nowhere', (t) => {
  const whole = { file: 'x', name: 'x', contentType: 'x' };
  for (const wrong of [
    undefined,
    null,
    [],
    'x',
    {},
    { ...whole, file: 1 },
    { ...whole, name: null },
    { ...whole, contentType: undefined },
  ]) {
    const first = new Segment(join(folder(t), '000001.jsonl'));
    first.append(block(1, payload), () => 'payload000001');
    first.append(block(2), noFile);
    first.close();
    if (wrong === undefined) rmSync(join(dirname(first.path), 'payload000001'));
    else writeFileSync(first.path, readFileSync(first.path, 'utf8').replace(/^#payload .*$/m, `#payload ${JSON.stringify(wrong)}`));
    const segment = found(first.path);
    assert.deepEqual([...segment.records], [['rows', 2]]);
    const chunk = read(segment);
    assert.deepEqual([idsIn(chunk), chunk.files, chunk.blocks[0]?.payloads], [['2'], [], []]);
    segment.delivered(chunk);
    assert.deepEqual([...segment.records], [['rows', 1]]);
  }
});

test('long lines are counted as they are read', (t) => {
  const first = new Segment(join(folder(t), '000001.jsonl'));
  const data = Buffer.from(
    block(1)
      .data.toString()
      .replace('[{"n":1}]', `["${'x'.repeat(3_000_000)}"]`),
  );
  for (const each of [{ ...block(1), data }, block(2, payload), block(3)]) first.append(each, () => 'payload000001');
  first.close();
  assert.deepEqual([...found(first.path).records], [...first.records]);
  assert.deepEqual([...first.records], [['rows', 3]]);
});

test('an offset that cannot be read counts as none', (t) => {
  const { path } = written(t, 1);
  for (const wrong of ['', 'text', '-1', '1.5', 'Infinity', '{}']) {
    writeFileSync(path.replace('.jsonl', '.offset'), wrong);
    assert.deepEqual(idsIn(read(new Segment(path))), ['1'], wrong);
  }
});

test('a line that is longer than what is read at a time is read whole', (t) => {
  const long = block(1);
  const data = Buffer.from(long.data.toString().replace('[{"n":1}]', `["${'x'.repeat(3_000_000)}"]`));
  const segment = new Segment(join(folder(t), '000001.jsonl'));
  for (const each of [{ ...long, data }, block(2)]) segment.append(each, noFile);
  segment.close();
  const chunks = [read(segment)];
  segment.delivered(chunks[0]!);
  for (let next = segment.read(); next !== undefined; next = segment.read()) {
    chunks.push(next);
    segment.delivered(next);
  }
  assert.deepEqual(chunks.flatMap(idsIn), ['1', '2']);
  assert.equal(chunks[0]?.blocks[0]?.data.subarray(0, data.length).equals(data), true);
});

test('a segment that is removed leaves nothing', (t) => {
  const segment = written(t, 1);
  segment.delivered(read(segment));
  segment.remove();
  assert.deepEqual(readdirSync(dirname(segment.path)), []);
  segment.remove();
});

test('a payload whose line cannot be written is removed', (t) => {
  const segment = new Segment(join(folder(t), '000001.jsonl'));
  const file = join(dirname(segment.path), 'payload000001');
  assert.throws(() => segment.append({ ...block(1, payload), data: undefined as unknown as Buffer }, () => 'payload000001'), TypeError);
  assert.ok(!existsSync(file));
  segment.append(block(2), noFile);
  segment.close();
  assert.deepEqual(idsIn(read(segment)), ['2']);
});

test('a position that cannot be recorded keeps no payload', (t) => {
  const segment = new Segment(join(folder(t), '000001.jsonl'));
  segment.append(block(1, payload), () => 'payload000001');
  segment.close();
  const chunk = read(segment);
  mkdirSync(segment.path.replace('.jsonl', '.offset'));
  assert.throws(() => segment.delivered(chunk), { code: 'EISDIR' });
  assert.ok(!existsSync(join(dirname(segment.path), 'payload000001')));
  assert.equal(segment.read(), undefined);
});
