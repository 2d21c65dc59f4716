import assert from 'node:assert/strict';
import test from 'node:test';
import { ServerError } from '../../../server/errors.ts';
import { readFromHost } from '../../../server/ipc/from-host.ts';
import { readFromWorker } from '../../../server/ipc/from-worker.ts';
import { HostKind, PROTOCOL_VERSION, WorkerKind } from '../../../server/ipc/kinds.ts';
import { recorder } from './examples.ts';

const other = Buffer.from(JSON.stringify({ version: PROTOCOL_VERSION + 1, members: 'of another form' }));
const none = Buffer.from('{}');

test('a worker refuses a host of another version by name, whatever the rest of the message is', () => {
  for (const [payload, got] of [
    [other, String(PROTOCOL_VERSION + 1)],
    [none, 'none'],
  ] as const) {
    const { calls, host } = recorder();
    readFromHost(host, 0, HostKind.start, payload);
    const [name, error] = calls[0] ?? [];
    assert.equal(name, 'startRefused');
    assert.ok(error instanceof ServerError && error.code === 'version_mismatch' && error.failure.exitCode === 1);
    assert.match(error.message, new RegExp(`'start' has version ${got} .*expected ${PROTOCOL_VERSION}\\. Restart the server`));
  }
});

test('the host takes a worker of another version as one that cannot start', () => {
  for (const payload of [other, none]) {
    const { calls, worker } = recorder();
    readFromWorker(worker, 0, WorkerKind.ready, payload);
    assert.equal(calls.length, 1);
    assert.equal(calls[0]?.[0], 'startFailed');
    assert.match(JSON.stringify(calls[0]?.[1]), /"code":"version_mismatch"/);
  }
});

test('a message of this version in another form is the one error', () => {
  const wrong = Buffer.from(JSON.stringify({ version: PROTOCOL_VERSION, concurrency: 0 }));
  const { calls, host, worker } = recorder();
  for (const payload of [wrong, Buffer.from('[]'), Buffer.from('null'), Buffer.from('{')]) {
    assert.throws(() => readFromHost(host, 0, HostKind.start, payload), { name: 'FrameError', message: /message 'start'/ });
    assert.throws(() => readFromWorker(worker, 0, WorkerKind.ready, payload), { name: 'FrameError', message: /message 'ready'/ });
  }
  assert.deepEqual(calls, []);
});
