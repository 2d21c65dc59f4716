import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { ServerProcess, type StartOptions } from '../e2e/start-server.ts';
import { held } from '../set-up/held.ts';
import { folder } from '../set-up/folder.ts';
import { until } from '../set-up/until.ts';
import { type Answer, EdgeHub, workloadApi } from './edge-hub.ts';
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

/** Ids of answers, in order of their names. */
const idsOf = (answers: readonly Answer[]): string[] => answers.map(({ properties }) => properties['$.mid'] ?? '').toSorted();
const names = (many: number): string[] => Array.from({ length: many }, (_, number) => `m${number}`).toSorted();

test('a message that fails gets an answer with its error, and does not stop those behind it', async (t) => {
  const { hub, server } = await start(t, 'edge-module.ts');
  const bodies = [
    '{"broken"',
    '{"fails":"secret detail"}',
    '{"status":422}',
    '{"bytes":3}',
    '{"bytes":300000}',
    '{"chunks":["a","b"]}',
    '{}',
  ];
  for (const [number, body] of bodies.entries()) await hub.deliver({ body, properties: { '$.mid': `m${number}` } });
  const answers = await hub.answered(bodies.length);
  assert.deepEqual(
    answers.map(({ properties }) => [properties['$.mid'], properties['error'], properties['status'], properties['$.ct']]),
    [
      ['m0', 'bad_json', '400', 'application/json'],
      ['m1', 'run_failed', '500', 'application/json'],
      ['m2', 'scoring_error', '422', 'application/json'],
      ['m3', undefined, undefined, 'application/octet-stream'],
      ['m4', 'answer_too_large', '500', 'application/json'],
      ['m5', undefined, undefined, 'text/plain'],
      ['m6', undefined, undefined, 'application/json'],
    ],
  );
  assert.deepEqual(JSON.parse(answers[2]!.text), { message: 'status 422 it is' });
  assert.deepEqual(answers[3]!.body, Buffer.alloc(3));
  assert.equal(answers[3]!.properties['$.ce'], undefined);
  assert.equal(answers[5]!.text, 'ab');
  assert.ok(answers.every(({ text }) => !text.includes('secret detail')));
  assert.equal(await server.metric('scoring_requests_total{route="iot-edge/amlInput",code="500"}'), 2);
});

test('run() gets ids, properties and sender as headers; workers get no key of the device', async (t) => {
  const { hub } = await start(t, 'edge-module.ts');
  const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
  await hub.deliver({
    body: '{"shows":"headers"}',
    properties: { '$.mid': 'a', '$.cid': 'b', '$.ct': 'application/json', traceparent, sensor: '7', 'line\nbreak': 'x', broken: 'a\nb' },
  });
  await hub.deliver({ body: '{"shows":"environment"}', properties: { '$.mid': 'line\nbreak' } });
  const [headers, environment] = await hub.answered(2);
  const shown = JSON.parse(headers!.text) as Record<string, string>;
  assert.deepEqual(Object.fromEntries(Object.entries(shown).filter(([name]) => name.startsWith('iothub-'))), {
    'iothub-messageid': 'a',
    'iothub-correlationid': 'b',
    'iothub-app-traceparent': traceparent,
    'iothub-app-sensor': '7',
    'iothub-connection-device-id': 'device',
    'iothub-connection-module-id': 'source',
  });
  assert.ok(!(JSON.parse(environment!.text) as string[]).includes('EdgeHubConnectionString'));
  assert.match(environment!.properties['$.mid']!, /^[0-9a-f-]{36}$/, 'an id that no header can carry is replaced');
});

test('a message whose worker is lost is scored again, and gets one answer', async (t) => {
  const { hub, server } = await start(t, 'edge-module.ts');
  const [once, always] = [join(folder(), 'once'), join(folder(), 'always')];
  await hub.deliver({ body: JSON.stringify({ dies: { file: once, times: 1 } }), properties: { '$.mid': 'once' } });
  await hub.deliver({ body: JSON.stringify({ dies: { file: always, times: 99 } }), properties: { '$.mid': 'always' } });
  await hub.deliver({ body: '{}', properties: { '$.mid': 'next' } });
  assert.deepEqual(
    (await hub.answered(3)).map(({ text, properties }) => [properties['$.mid'], properties['error'] ?? text]),
    [
      ['once', '"lives"'],
      ['always', 'worker_lost'],
      ['next', '"done"'],
    ],
  );
  assert.equal(readFileSync(always, 'utf8').length, 3, 'it had three attempts');
  await server.drain();
  assert.equal(hub.answers.length, 3);
});

test('messages whose worker is killed get one answer each, and one that kills workers fails alone', async (t) => {
  const { hub, server } = await start(t, 'edge-module.ts', { env: { WORKER_CONCURRENCY: '8' } });
  const poison = join(folder(), 'poison');
  for (const id of names(40)) {
    const task = id === 'm5' ? { dies: { file: poison, times: 99 } } : { ms: 30 };
    await hub.post({ body: JSON.stringify(task), properties: { '$.mid': id } });
  }
  await hub.answered(1);
  process.kill(server.workers.at(-1)!, 'SIGKILL');
  await hub.acknowledgedAll(40);
  await server.drain();
  assert.deepEqual(idsOf(hub.answers), names(40));
  assert.deepEqual(
    hub.answers.filter(({ properties }) => properties['error'] !== undefined).map(({ properties }) => properties['$.mid']),
    ['m5'],
  );
});

test('edgeHub may be away: the module waits without an end, and no answer is lost or sent twice', async (t) => {
  const { hub, server } = await start(t, 'held.ts');
  const { data, running, release } = held();
  await hub.post({ body: JSON.stringify(data), properties: { '$.mid': 'm0' } });
  await running();
  await hub.stop();
  await server.said('the connection to edgeHub is lost');
  release();
  await until(async () => (await server.metric('scoring_requests_in_flight')) === 0);
  for (const id of ['m1', 'm2']) await hub.post({ body: '""', properties: { '$.mid': id } });
  await hub.start();
  await hub.acknowledgedAll(3);
  assert.deepEqual(idsOf(hub.answers), names(3));
  assert.equal(server.linesWith('connected to edgeHub').length, 2);
  assert.equal(server.linesWith('edgeHub cannot be reached').length, 0, 'failed attempts are not logged one by one');
  await server.drain();
  assert.equal(hub.answers.length, 3);
});

test('a message without an id is answered once, although edgeHub delivers it on two connections', async (t) => {
  const { hub, server } = await start(t, 'held.ts');
  const { data, running, release } = held();
  await hub.post({ body: JSON.stringify(data) });
  await running();
  hub.cut();
  await server.said('the connection to edgeHub is lost');
  release();
  await hub.acknowledgedAll(1);
  await server.drain();
  assert.equal(hub.answers.length, 1);
});

for (const properties of [{}, { '$.mid': 'a' }])
  test(`a run that outlasts the patience of edgeHub gets one answer, with ${Object.keys(properties).length} ids`, async (t) => {
    const { hub, server } = await start(t, 'held.ts');
    const { data, running, release } = held();
    const sent = { body: JSON.stringify(data), properties };
    await hub.post(sent);
    await running();
    await hub.post(sent);
    // Behind both.
    await hub.post({ body: '""' });
    await hub.acknowledgedAll(1);
    release();
    await hub.acknowledgedAll(3);
    await server.drain();
    assert.equal(hub.answers.length, 2);
  });

test('an answer that edgeHub has not taken is sent again on the next connection', async (t) => {
  const { hub } = await start(t, 'echo.ts');
  const arrived = Promise.withResolvers<void>();
  hub.beforeTaken = async () => {
    hub.beforeTaken = () => undefined;
    hub.cut();
    arrived.resolve();
    await new Promise(() => undefined);
  };
  await hub.deliver({ body: '1', properties: { '$.mid': 'a' } });
  await arrived.promise;
  assert.deepEqual(idsOf(hub.answers), ['a']);
});

test('a message that the SDK cannot read is acknowledged and logged', async (t) => {
  const { hub, server } = await start(t, 'echo.ts');
  await hub.deliver({ body: '1', properties: '%zz=1' });
  await hub.deliver({ body: '2' });
  await server.said('a message cannot be read');
  assert.deepEqual(
    (await hub.answered(1)).map(({ text }) => text),
    ['2'],
  );
});

test('a message that edgeHub delivers again is answered once; others with its id are others', async (t) => {
  const { hub, server } = await start(t, 'echo.ts');
  for (const body of ['1', '1', '2']) await hub.deliver({ body, properties: { '$.mid': 'same' } });
  await hub.deliver({ body: '1' });
  await hub.deliver({ body: '1' });
  const answers = await hub.answered(4);
  assert.deepEqual(
    answers.map(({ text }) => text),
    ['1', '2', '1', '1'],
  );
  assert.notEqual(answers[2]!.properties['$.mid'], answers[3]!.properties['$.mid']);
  assert.equal(server.linesWith('a message was delivered again').length, 1);
});

test('messages on another input are dropped with a warning', async (t) => {
  const { hub, server } = await start(t, 'echo.ts', { args: ['--input', 'in', '--output', 'out'] });
  await hub.deliver({ body: '1' });
  await hub.deliver({ body: '2', input: 'in' });
  const [answer] = await hub.answered(1);
  assert.deepEqual([answer!.text, answer!.properties['$.on']], ['2', 'out']);
  await server.said('messages on another input are dropped');
});

test('messages beyond the limit stay unread, and memory stays bounded', async (t) => {
  const { hub, server } = await start(t, 'edge-module.ts', {
    env: { QUEUE_MAX_REQUESTS: '8', WORKER_CONCURRENCY: '1', ACCESS_LOG: 'off' },
  });
  const memory = (): number => Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${server.pid}/status`, 'utf8'))?.[1] ?? 0) / 1024;
  const padding = 'x'.repeat(200_000);
  const ids = names(800);
  const flood = async (some: readonly string[]): Promise<void> => {
    const body = JSON.stringify({ ms: 2, padding });
    await Promise.all(some.map((id) => hub.post({ body, properties: { '$.mid': id } })));
  };
  await flood(ids.slice(0, 200));
  await hub.acknowledgedAll(200);
  const before = memory();
  await flood(ids.slice(200));
  await hub.acknowledgedAll(800);
  assert.deepEqual(idsOf(hub.answers), ids);
  const grown = memory() - before;
  t.diagnostic(`${grown.toFixed(0)} MiB more for 114 MiB of messages`);
  // All of them kept would be more than 90 MiB. What the heap has not collected yet is the rest.
  assert.ok(grown < 75, `${grown} MiB`);
});

test('with --read-ahead, so many messages need not be kept until they are answered', async (t) => {
  const { hub, server } = await start(t, 'held.ts', { args: ['--read-ahead=2'] });
  const all = Array.from({ length: 3 }, () => held());
  for (const [number, { data }] of all.entries()) await hub.post({ body: JSON.stringify(data), properties: { '$.mid': `m${number}` } });
  await Promise.all(all.map(({ running }) => running()));
  await hub.acknowledgedAll(2);
  assert.equal(hub.acknowledged.length, 2);
  all[0]!.release();
  await hub.acknowledgedAll(3);
  for (const { release } of all) release();
  await hub.answered(3);
  await server.drain();
  assert.deepEqual(idsOf(hub.answers), names(3));
});

test('SIGTERM: what was taken is answered and acknowledged, what comes later stays with edgeHub', async (t) => {
  const { hub, server } = await start(t, 'held.ts');
  const { data, running, release } = held();
  await hub.post({ body: JSON.stringify(data), properties: { '$.mid': 'm0' } });
  await running();
  server.child.kill('SIGTERM');
  await server.said('draining');
  await hub.post({ body: '""', properties: { '$.mid': 'm1' } });
  release();
  assert.deepEqual(await server.exited, { code: 0, signal: null });
  assert.deepEqual(idsOf(hub.answers), ['m0']);
  assert.equal(hub.acknowledged.length, 1);
  await module(t, ['--entry-script', 'held.ts'], { env: hub.env });
  await hub.acknowledgedAll(2);
  assert.deepEqual(idsOf(hub.answers), names(2));
});

test('a container that is killed loses no message: the next one answers it', async (t) => {
  const { hub, server } = await start(t, 'held.ts');
  const { data, running, release } = held();
  await hub.post({ body: JSON.stringify(data), properties: { '$.mid': 'm0' } });
  await running();
  server.child.kill('SIGKILL');
  await server.exited;
  assert.deepEqual([hub.answers.length, hub.acknowledged.length], [0, 0]);
  release();
  await module(t, ['--entry-script', 'held.ts'], { env: hub.env });
  await hub.acknowledgedAll(1);
  assert.deepEqual(idsOf(hub.answers), ['m0']);
});

test('a run that outlasts the drain stays with edgeHub, and the exit is an orderly one', async (t) => {
  const { hub, server } = await start(t, 'held.ts', { env: { DRAIN_TIMEOUT_MS: '200' } });
  const { data, running } = held();
  await hub.post({ body: JSON.stringify(data), properties: { '$.mid': 'm0' } });
  await running();
  await server.drain();
  assert.deepEqual([hub.answers.length, hub.acknowledged.length], [0, 0]);
});

test('the HTTP port serves probes, metrics and /score beside the messages', async (t) => {
  const { hub, server } = await start(t, 'echo.ts');
  await hub.deliver({ body: '1' });
  assert.equal(await server.status('/health/ready'), 200);
  assert.equal(await (await server.score({ a: 1 })).text(), '{"a":1}');
  assert.equal(await server.metric('scoring_requests_total{route="iot-edge/amlInput",code="200"}'), 1);
  assert.match((await server.said('profile')).msg, /profile iot-edge \(IoT Edge\): EdgeHubConnectionString is set/);
});

test('messages are collected as requests are', async (t) => {
  const disk = folder();
  const { hub, server } = await start(t, 'echo.ts', { env: { MDC_DIR: disk } });
  await hub.deliver({ body: '[4711]', properties: { '$.mid': 'collected' } });
  await server.drain();
  const files = readdirSync(disk, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const text = files.map(({ parentPath, name }) => readFileSync(join(parentPath, name), 'utf8')).join('\n');
  assert.match(text, /4711/);
  assert.match(text, /collected/);
});

test('in the IoT Edge runtime the workload API signs, and names the certificate to trust', async (t) => {
  const hub = await EdgeHub.open();
  t.after(() => hub.close());
  const api = await workloadApi(hub);
  t.after(() => api.close());
  await module(t, ['--entry-script', 'echo.ts'], { env: api.env });
  await hub.subscribed();
  await hub.deliver({ body: '[1]', properties: { '$.mid': 'a' } });
  assert.equal((await hub.answered(1))[0]!.text, '[1]');
  assert.deepEqual(api.calls, ['GET /trust-bundle', 'POST /modules/scorer/genid/1/sign']);
});

/** A module for which time limits of 45 minutes, the SDK's for tokens, end after a second. */
const SOON = `const after = setTimeout; globalThis.setTimeout = (work, ms, ...rest) => after(work, ms === 2_700_000 ? 1000 : ms, ...rest);`;
const RENEWS = { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(SOON)}` };

test('a token is renewed on a connection of its own, and a message in run() gets one answer', async (t) => {
  const { hub, server } = await start(t, 'held.ts', { env: RENEWS });
  const { data, running, release } = held();
  await hub.post({ body: JSON.stringify(data), properties: { '$.mid': 'm0' } });
  await running();
  await until(() => hub.connections >= 3);
  release();
  await hub.acknowledgedAll(1);
  await hub.deliver({ body: '""', properties: { '$.mid': 'm1' } });
  await server.drain();
  assert.deepEqual(idsOf(hub.answers), names(2));
});

test('a token that cannot be renewed costs the connection, not the process', async (t) => {
  const hub = await EdgeHub.open();
  t.after(() => hub.close());
  const api = await workloadApi(hub);
  t.after(() => api.close());
  const server = await module(t, ['--entry-script', 'echo.ts'], { env: { ...api.env, ...RENEWS } });
  await hub.subscribed();
  api.broken = true;
  await server.said('the connection to edgeHub is lost');
  api.broken = false;
  await hub.deliver({ body: '[1]' });
  await hub.answered(1);
});

test('an edgeHub that is not there yet costs one warning', async (t) => {
  const hub = await EdgeHub.open();
  t.after(() => hub.close());
  await hub.stop();
  const server = await module(t, ['--entry-script', 'echo.ts'], { env: hub.env });
  await server.said('edgeHub cannot be reached');
  assert.equal(await server.status('/health/ready'), 200, 'a device may be offline');
  await hub.start();
  await hub.subscribed();
  await hub.deliver({ body: '1' });
  await hub.answered(1);
  assert.equal(server.linesWith('edgeHub cannot be reached').length, 1);
});

/** Starts what cannot run, and answers what it says. */
async function refused(t: TestContext, args: readonly string[], env: Record<string, string>): Promise<string> {
  const server = new ServerProcess(args, { command: 'iot-edge', env });
  t.after(() => server.stop());
  assert.deepEqual(await server.exited, { code: 2, signal: null });
  return server.stderr;
}

const SIMULATED = { EdgeHubConnectionString: 'HostName=h;DeviceId=d;ModuleId=m;SharedAccessKey=c2VjcmV0' };

test('without the SDK, the environment or right flags the module does not start, and says why', async (t) => {
  assert.match(
    await refused(t, ['--sdk', folder()], SIMULATED),
    /^scoring-server iot-edge cannot start:\n  expected azure-iot-device and azure-iot-device-mqtt in .*node_modules, got: .*docker\/iot-edge.Dockerfile.*\n$/,
  );
  assert.match(
    await refused(t, [], { IOTEDGE_WORKLOADURI: 'unix:///x' }),
    /^scoring-server iot-edge cannot start:\n  IOTEDGE_DEVICEID, .*got none.*\n$/,
  );
  assert.match(await refused(t, ['--input', 'a/b'], SIMULATED), /--input: expected a name of letters.*got "a\/b"/);
  assert.match(await refused(t, ['--input', '--output', 'x'], SIMULATED), /--input: expected a value after it/);
  assert.match(await refused(t, ['--input=a', '--input=b'], SIMULATED), /--input: expected once, got twice/);
  assert.match(await refused(t, ['--read-ahead=-1'], SIMULATED), /--read-ahead: expected a whole number from 0 to 9999, got "-1"/);
  assert.match(await refused(t, ['--no-such'], SIMULATED), /--no-such: there is no such flag/);
});

test('a server in IoT Edge that was not started as a module says so', async (t) => {
  const server = new ServerProcess(['--entry-script', 'echo.ts'], { env: SIMULATED });
  t.after(() => server.stop());
  await server.said('for messages of IoT Edge give it the command iot-edge');
  await server.ready();
});
