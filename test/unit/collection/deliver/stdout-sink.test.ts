import assert from 'node:assert/strict';
import test from 'node:test';
import { StdoutSink } from '../../../../server/collection/deliver/stdout-sink.ts';
import { TestWriter } from '../../../collection/start-writer.ts';

test('stdout gets a line {"mdc": event} for each record', async () => {
  let printed = '';
  const writer = new TestWriter(new StdoutSink((text) => (printed += text)));
  writer.collect(0, 2);
  await writer.close();
  const lines = printed
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as { mdc: { data: unknown } });
  assert.deepEqual(
    lines.map(({ mdc }) => mdc.data),
    [[{ n: 0 }], [{ n: 1 }]],
  );
});
