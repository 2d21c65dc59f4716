import assert from 'node:assert/strict';
import { test } from '../python-test.ts';
import { eventsOf } from '../../collection/azurite.ts';
import { files } from '../../collection/start-collecting.ts';
import type { RedactableBody } from '../../../server/ipc/redaction.ts';
import { folder } from '../../set-up/folder.ts';
import type { Workers } from '../../worker/start-workers.ts';
import { pythonWorkers } from '../worker/python-workers.ts';
import { servePython } from './serve-python.ts';

const body = (data: unknown): RedactableBody[] => [
  { collection: 'request', contentType: 'application/json', body: [Buffer.from(JSON.stringify(data))] },
];
const LIMIT_MS = 1000;

const restarts = async (workers: Workers): Promise<string[]> =>
  Array.from(
    (await workers.metrics.registry.metrics()).matchAll(/^worker_restarts_total\{cause="(\w+)"\} ([1-9]\d*)$/gm),
    ([, cause, count]) => `${cause} ${count}`,
  );

for (const [script, concurrency] of [
  ['redacts.py', 1],
  ['redacts.py', 4],
  ['redacts_async.py', 4],
] as const)
  test(`a hook that loops costs its own bodies, and its worker once: ${script}, ${concurrency} at a time`, async (t) => {
    const workers = pythonWorkers(script, {
      limits: { redactTimeoutMs: LIMIT_MS },
      start: { concurrency, concurrencyIsDefault: false },
    });
    t.after(() => workers.stop());
    await workers.started;
    const { redactions } = workers.scorer;
    const looping = redactions.redact('loops', body({ loop: true, secret: 'x' }));
    const fine = redactions.redact('fine', body({ name: 'a', secret: 'x' }));
    assert.deepEqual(await looping, ['hook_timeout']);
    const [kept] = await fine;
    const { name, secret } = JSON.parse(typeof kept === 'object' ? kept.body.toString() : '{}') as Record<string, unknown>;
    assert.deepEqual({ name, secret }, { name: 'a', secret: 'request' });
    assert.equal((await workers.score({ name: 'b' })).status, 200);
    assert.deepEqual(await restarts(workers), ['redaction 1']);
  });

test('a hook that ends the process loses its bodies only, after a second try', async (t) => {
  const workers = pythonWorkers('redacts.py', {});
  t.after(() => workers.stop());
  await workers.started;
  assert.deepEqual(await workers.scorer.redactions.redact('exits', body({ exit: true })), ['worker_lost']);
  const [kept] = await workers.scorer.redactions.redact('fine', body({ name: 'a' }));
  assert.equal(typeof kept === 'object' && kept.body.toString(), '{"name":"a","secret":"request"}');
});

for (const script of ['redacts.py', 'redacts_async.py'])
  test(`a hook decides what is kept of bodies and queries, and shows nothing in the log: ${script}`, async (t) => {
    const dir = folder();
    const server = await servePython(t, script, { MDC_DIR: dir });
    const ask = async (id: string, path: string, sent?: string): Promise<void> => {
      const method = sent === undefined ? 'GET' : 'POST';
      const headers = { 'x-request-id': id, 'content-type': 'application/json' };
      await (await fetch(await server.url(path), { method, headers, ...(sent !== undefined && { body: sent }) })).text();
    };
    await ask('posted', '/score', '{"name":"a","secret":"SECRET"}');
    await ask('list', '/score', '["SECRET"]');
    await ask('no json', '/score', '{"secret":"SECRET"');
    await server.drain();
    const kept = eventsOf(files(dir), 'request').map(({ correlationid, data, dataomitted }) => [
      correlationid,
      dataomitted ?? Reflect.get(Object(data), 'secret'),
    ]);
    assert.deepEqual(Object.fromEntries(kept), { posted: 'request', list: 'redaction', 'no json': 'redaction' });
    const shown = [...files(dir).values(), ...server.lines.map((line) => JSON.stringify(line)), server.stderr].join('\n');
    assert.doesNotMatch(shown, /SECRET/);
    assert.equal(server.linesWith("redact() failed, the error's text is left out").length, 1);
  });
