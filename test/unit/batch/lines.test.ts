import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { linesOf } from '../../../server/batch/lines.ts';

const NEWLINE = 10;

/** Splits bytes at these places, and reads them as lines. */
async function read(bytes: Buffer, cuts: readonly number[], limit = 1000): Promise<{ number: number; text: string; refused: boolean }[]> {
  const places = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).toSorted((one, other) => one - other), bytes.length];
  const chunks = places.slice(1).map((to, at) => bytes.subarray(places[at], to));
  const lines = [];
  async function* source(): AsyncGenerator<Buffer> {
    yield* chunks;
  }
  for await (const { number, bytes: line, refusal } of linesOf(source(), limit))
    lines.push({ number, text: line.toString('latin1'), refused: refusal !== undefined });
  return lines;
}

test('lines are the same wherever a read ends', async () => {
  const content = fc.array(fc.constantFrom(NEWLINE, 13, 0x20, 0x61, 0x62, 0xef, 0xbb, 0xbf), { maxLength: 60 });
  await fc.assert(
    fc.asyncProperty(content, fc.array(fc.nat(), { maxLength: 6 }), async (codes, cuts) => {
      const bytes = Buffer.from(codes);
      assert.deepEqual(await read(bytes, cuts), await read(bytes, []));
    }),
  );
});

test('blank lines are none, and count', async () => {
  assert.deepEqual(await read(Buffer.from('\uFEFF1\r\n\n \t\r\n2'), []), [
    { number: 1, text: '1', refused: false },
    { number: 4, text: '2', refused: false },
  ]);
});

test('a line that is too long is refused, and those beside it are not', async () => {
  const bytes = Buffer.from(`1\n${'x'.repeat(11)}\n${'y'.repeat(10)}\n`);
  assert.deepEqual(
    (await read(bytes, [4, 9], 10)).map(({ number, text, refused }) => [number, text.length, refused]),
    [
      [1, 1, false],
      [2, 0, true],
      [3, 10, false],
    ],
  );
});
