import fc from 'fast-check';
import assert from 'node:assert/strict';
import test from 'node:test';
import { FrameError } from '../../../server/ipc/frames.ts';
import { pairText, readHead, readPairText } from '../../../server/ipc/reply-head.ts';

function frame(status: number, flags: number, ms: number, headers: string, body = ''): Buffer {
  const head = Buffer.alloc(15);
  head.writeUInt16LE(status, 0);
  head[2] = flags;
  head.writeDoubleLE(ms, 3);
  head.writeUInt32LE(Buffer.byteLength(headers), 11);
  return Buffer.concat([head, Buffer.from(headers + body)]);
}

const name = fc.stringMatching(/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,20}$/);
const value = fc.string({
  unit: fc
    .integer({ min: 0x20, max: 0xff })
    .filter((code) => code !== 0x7f)
    .map((code) => String.fromCharCode(code)),
});

test('any head that HTTP can carry is read as it was written', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 200, max: 599 }),
      fc.double({ min: 0, max: 1e9, noNaN: true }),
      fc.array(fc.tuple(name, value), { maxLength: 5 }),
      fc.string(),
      (status, ms, headers, body) => {
        const payload = frame(status, 0, ms, pairText(headers), body);
        const { head, end } = readHead(payload);
        assert.deepEqual(head, { status, runFailed: false, runMs: ms === 0 ? head.runMs : ms, headers });
        assert.equal(payload.toString('utf8', end), Buffer.from(body).toString());
      },
    ),
  );
});

test('pairs of any texts without line breaks come back', () => {
  const text = fc.string({ unit: 'grapheme' }).filter((each) => !each.includes('\n'));
  fc.assert(
    fc.property(
      fc.array(
        fc.tuple(
          text.filter((each) => each !== ''),
          text,
        ),
      ),
      (pairs) => assert.deepEqual(readPairText(pairText(pairs)), pairs),
    ),
  );
});

test('random bytes are a head or the one error', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
      try {
        const { head, end } = readHead(Buffer.from(bytes));
        assert.ok(head.status >= 200 && head.status <= 599 && end <= bytes.length);
      } catch (error) {
        assert.ok(error instanceof FrameError, String(error));
      }
    }),
    { numRuns: 1000 },
  );
});

test('a head that HTTP cannot carry is refused', () => {
  const bad: [Buffer, RegExp][] = [
    [frame(199, 2, 1, ''), /status 199/],
    [frame(600, 2, 1, ''), /status 600/],
    [frame(200, 0, 1, 'x-a\na\u0001b'), /x-a with the character U\+0001/],
    [frame(200, 0, 1, 'x-a\nsnow ☃'), /U\+2603/],
    [frame(200, 0, 1, 'x a\nb'), /named "x a"/],
    [frame(200, 2, 1, '').subarray(0, 14), /too short/],
    [frame(200, 0, 1, 'name\nvalue').subarray(0, 20), /end beyond it/],
  ];
  for (const [payload, why] of bad) assert.throws(() => readHead(payload), { name: 'FrameError', message: why });
});

test('a run time that is no duration is undefined', () => {
  for (const ms of [-1, Number.NaN, Infinity, -Infinity]) assert.equal(readHead(frame(200, 2, ms, '')).head.runMs, undefined);
});
