import assert from 'node:assert/strict';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { ServerProcess, type StartOptions } from '../e2e/start-server.ts';
import { EdgeHub } from './edge-hub.ts';
import { installed } from './installed.ts';

const SDK = join(import.meta.dirname, '../../docker/iot-edge');

interface Module {
  readonly hub: EdgeHub;
  readonly server: ServerProcess;
}

/** Starts edgeHub, and a module that has subscribed. */
async function start(
  t: TestContext,
  script: string,
  { args = [], env = {} }: { args?: string[]; env?: Record<string, string> } = {},
): Promise<Module> {
  const hub = await EdgeHub.open();
  t.after(() => hub.close());
  const server = await module(t, ['--entry-script', script, ...args], { env: { ...hub.env, ...env } });
  await hub.subscribed();
  return { hub, server };
}

async function module(t: TestContext, args: readonly string[], options: StartOptions): Promise<ServerProcess> {
  const server = new ServerProcess(['--sdk', await installed(SDK), ...args], { command: 'iot-edge', ...options });
  t.after(() => server.stop());
  return server;
}

test('200 messages are answered once each, in order, with their ids', async (t) => {
  const { hub } = await start(t, 'echo.ts');
  for (let number = 0; number < 200; number++)
    await hub.deliver({ body: JSON.stringify({ number }), properties: { '$.mid': `m ${number}`, '$.cid': `c/${number}&=` } });
  const answers = await hub.answered(200);
  assert.deepEqual(
    answers.map(({ text, properties }) => ({ text, properties })),
    Array.from({ length: 200 }, (_, number) => ({
      text: JSON.stringify({ number }),
      properties: { '$.on': 'amlOutput', '$.mid': `m ${number}`, '$.cid': `c/${number}&=`, '$.ct': 'application/json', '$.ce': 'utf-8' },
    })),
  );
});
