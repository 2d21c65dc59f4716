import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import test from 'node:test';
import fc from 'fast-check';
import { cutText, LineSplitter, LONGEST_LINE, type OutputLine, relayLines } from '../../../server/guards/output-lines.ts';

function linesOf(chunks: readonly Buffer[], longest?: number): OutputLine[] {
  const splitter = new LineSplitter(longest);
  const lines: OutputLine[] = [];
  for (const chunk of chunks) {
    splitter.feed(chunk);
    for (let line = splitter.next(); line !== undefined; line = splitter.next()) lines.push(line);
  }
  const last = splitter.end();
  return last === undefined ? lines : [...lines, last];
}

/** Few kinds of bytes, so that line ends and broken characters are everywhere. */
const bytes = fc
  .array(fc.constantFrom(0x0a, 0x0d, 0x61, 0x80, 0xbf, 0xc3, 0xe2, 0xf0, 0x9f, 0xff), { maxLength: 80 })
  .map((all) => Buffer.from(all));

test('lines do not depend on how their bytes are split into chunks', () => {
  fc.assert(
    fc.property(bytes, fc.array(fc.nat(80), { maxLength: 8 }), fc.integer({ min: 1, max: 12 }), (all, at, longest) => {
      const ends = [...at.map((end) => Math.min(end, all.length)), all.length].toSorted((a, b) => a - b);
      const chunks = ends.map((end, index) => all.subarray(ends[index - 1] ?? 0, end));
      const whole = linesOf([all], longest);
      assert.deepEqual(linesOf(chunks, longest), whole);
      // Reference: the same by splitting the whole.
      const expected = all
        .toString('latin1')
        .split(/[\r\n]/)
        .filter((line) => line !== '');
      assert.equal(whole.length, expected.length);
      for (const [index, line] of whole.entries()) {
        const written = Buffer.from(expected[index]!, 'latin1');
        assert.equal(line.cut, written.length > longest);
        if (!line.cut) assert.equal(line.text, written.toString());
        else assert.ok(written.subarray(0, longest).toString().startsWith(line.text));
      }
    }),
    { numRuns: 2000 },
  );
});

test('a line is cut between two characters, and the rest of it is left out', () => {
  const text = '€'.repeat(40_000);
  const [line, next, ...more] = linesOf([Buffer.from(`${text}\nnext\n`)]);
  assert.deepEqual([line?.cut, next, more], [true, { text: 'next', cut: false }, []]);
  assert.equal(line?.text, '€'.repeat(Math.floor(LONGEST_LINE / 3)));
});

test('a line of exactly the limit is whole', () => {
  const text = 'x'.repeat(LONGEST_LINE);
  assert.deepEqual(linesOf([Buffer.from(text), Buffer.from('\n')]), [{ text, cut: false }]);
  assert.deepEqual(linesOf([Buffer.from(text), Buffer.from('y\r\n')]), [{ text, cut: true }]);
});

test('text is not cut within a pair of surrogates', () => {
  assert.equal(cutText('a😀b', 2), 'a');
  assert.equal(cutText('a😀b', 3), 'a😀');
  assert.equal(cutText('abc', 3), 'abc');
});

test('a flood of lines leaves turns of the event loop to others, and loses none', async () => {
  const stream = new PassThrough();
  let lines = 0;
  let most = 0;
  let before = 0;
  let done = false;
  const watch = (): void => {
    most = Math.max(most, lines - before);
    before = lines;
    if (!done) setImmediate(watch);
  };
  watch();
  stream.end(Buffer.from('y\n'.repeat(100_000)));
  await relayLines(stream, () => void lines++);
  done = true;
  // The last turn is not over yet: without a budget it is the only one.
  most = Math.max(most, lines - before);
  assert.equal(lines, 100_000);
  assert.ok(most <= 512, `${most} lines in one turn`);
});

test('what came before a stream is destroyed is told', async () => {
  const stream = new PassThrough();
  const lines: string[] = [];
  const relayed = relayLines(stream, ({ text }) => {
    lines.push(text);
    stream.destroy();
  });
  stream.write('whole\nhalf');
  await relayed;
  assert.deepEqual(lines, ['whole', 'half']);
});
