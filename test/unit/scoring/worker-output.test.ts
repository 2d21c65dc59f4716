import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import test from 'node:test';
import { WorkerOutput } from '../../../server/scoring/worker-output.ts';
import type { LogMessage } from '../../../server/ipc/worker-messages.ts';

const message = (msg: string, fields?: LogMessage['fields']): LogMessage => ({ level: 'info', msg, fields });

function heard(): { readonly output: WorkerOutput; readonly messages: LogMessage[]; readonly lines: string[] } {
  const messages: LogMessage[] = [];
  const lines: string[] = [];
  const output = new WorkerOutput({ log: (said) => messages.push(said), output: (stream, { text }) => lines.push(`${stream} ${text}`) });
  return { output, messages, lines };
}

test('a line of the console is logged at once', () => {
  const { output, messages } = heard();
  output.log(message('said'), 0);
  assert.deepEqual(messages, [message('said')]);
});

test('a burst is logged whole and in order, a share in each turn', async () => {
  const { output, messages } = heard();
  for (let count = 0; count < 5000; count++) output.log(message(`${count}`), 0);
  assert.ok(messages.length <= 512);
  await output.ended();
  assert.deepEqual(
    messages.map(({ msg }) => Number(msg)),
    Array.from({ length: 5000 }, (_, count) => count),
  );
});

for (const [name, said, bytes] of [
  ['text', message('x'.repeat(10_000)), 0],
  ['fields', message('', { large: 'x'.repeat(10_000) }), 10_000],
] as const)
  test(`what a flood of ${name} may hold is bounded, and what is dropped is told once`, async () => {
    const { output, messages } = heard();
    for (let count = 0; count < 2000; count++) output.log(said, bytes);
    await output.ended();
    const [told, ...more] = messages.filter(({ dropped }) => dropped !== undefined);
    assert.equal(more.length, 0);
    const whole = messages.length - 1;
    assert.ok(whole > 300 && whole < 500, `${whole}`);
    assert.equal(told?.dropped, 2000 - whole);
    output.log(said, bytes);
    assert.equal(messages.length, whole + 2);
  });

test('streams that their process has closed are read to the end', async () => {
  const { output, lines } = heard();
  const stream = new PassThrough();
  output.relay('stderr', stream);
  output.relay('stdout', undefined);
  stream.end('first\nlast');
  await output.ended();
  assert.deepEqual(lines, ['stderr first', 'stderr last']);
});
