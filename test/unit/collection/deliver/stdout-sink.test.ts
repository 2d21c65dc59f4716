import assert from 'node:assert/strict';
import test from 'node:test';
import { StdoutSink, ThreadStdout, type Stdout } from '../../../../server/collection/deliver/stdout-sink.ts';
import type { FromWriter } from '../../../../server/collection/writer-messages.ts';
import { TestWriter } from '../../../collection/start-writer.ts';

/** The numbers `n` of the printed records. */
const printed = (text: string): unknown[] =>
  text
    .split('\n')
    .slice(0, -1)
    .map((line) => (JSON.parse(line) as { mdc: { data: [{ n: number }] } }).mdc.data[0].n);

const linesOf = (text: string): string[] => text.split('\n').slice(0, -1);

test('stdout gets a line {"mdc": event} for each record', async () => {
  let text = '';
  const writer = new TestWriter(
    new StdoutSink({
      deliver(lines) {
        text += lines;
        return Promise.resolve(linesOf(lines).length);
      },
    }),
  );
  writer.collect(0, 500, 'model_inputs', 'x'.repeat(300));
  await writer.close();
  assert.deepEqual(
    printed(text),
    Array.from({ length: 500 }, (_, n) => n),
  );
  assert.equal(writer.counts.of('model_inputs').sent, 500);
});

/** A reader that takes some lines in all, and then none until the end. */
function stalled(takes: number): Stdout {
  let left = takes;
  return {
    deliver: (text, signal) =>
      new Promise((resolve) => {
        const lines = Math.min(left, linesOf(text).length);
        left -= lines;
        if (lines === linesOf(text).length) resolve(lines);
        else signal.addEventListener('abort', () => resolve(lines));
      }),
  };
}

for (const [takes, reason] of [
  [0, 'a reader that takes nothing'],
  [7, 'a reader that stops in the middle'],
] as const)
  test(`only lines that are written count as sent: ${reason}`, async () => {
    const writer = new TestWriter(new StdoutSink(stalled(takes)));
    writer.collect(0, 20);
    await writer.close(100);
    const { sent, dropped } = writer.counts.of('model_inputs');
    assert.deepEqual([sent, dropped, writer.counts.dropped.get('flush_timeout')], [takes, 20 - takes, 20 - takes]);
    assert.equal(writer.counts.records, 0);
  });

test('the thread asks for one text at a time, and takes the rest back when its signal fires', async () => {
  const posted: FromWriter[] = [];
  const stdout = new ThreadStdout((message) => posted.push(message));
  const stop = new AbortController();
  const first = stdout.deliver('a\nb\n', stop.signal);
  stdout.delivered(2);
  assert.equal(await first, 2);
  const second = stdout.deliver('c\nd\n', stop.signal);
  stop.abort();
  stdout.delivered(1);
  assert.equal(await second, 1);
  assert.equal(await stdout.deliver('e\n', stop.signal), 0);
  assert.deepEqual(posted, [{ kind: 'deliver', text: 'a\nb\n' }, { kind: 'deliver', text: 'c\nd\n' }, { kind: 'retract' }]);
});
