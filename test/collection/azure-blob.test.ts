import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { openBlobStorage } from '../../server/collection/deliver/blob-storage.ts';
import { folder } from '../set-up/folder.ts';
import { Azurite, eventsOf } from './azurite.ts';
import { startProxy } from './proxy.ts';
import { numbers, TestWriter } from './start-writer.ts';

const storageAt = (azurite: Azurite, port?: number) =>
  openBlobStorage({ kind: 'azure-blob', connectionString: azurite.connectionString(port), accountUrl: '', container: 'modeldata' });

const isCreate = (method: string, url: string): boolean => method === 'PUT' && !url.includes('comp=');
const isAppend = (method: string, url: string): boolean => method === 'PUT' && url.includes('comp=appendblock');

/** Far below the time after which a call that hangs is ended, and far above the limit of a stop. */
const LONGEST_STOP_MS = 20_000;

/** What arrived, in the order of the files. */
async function arrived(azurite: Azurite, collection = 'model_inputs'): Promise<number[]> {
  return eventsOf(await azurite.blobs(), collection).map(({ data }) => Number(data[0]?.['n']));
}

test('lines that are read back equal what was sent, in the layout of the platform', async (t) => {
  const azurite = await Azurite.start(t);
  const writer = new TestWriter(await storageAt(azurite));
  writer.rows('model_inputs', 'first', [
    { age: 41, name: 'é' },
    { age: null, name: 'x' },
  ]);
  writer.rows('model_outputs', 'first', [{ y: 0.25 }]);
  await writer.close();
  const blobs = await azurite.blobs();
  assert.deepEqual([...blobs.keys()].toSorted(), [
    `ep/blue/model_inputs/2026/03/05/18/${writer.instance}.jsonl`,
    `ep/blue/model_outputs/2026/03/05/18/${writer.instance}.jsonl`,
  ]);
  const [event] = eventsOf(blobs, 'model_inputs');
  assert.deepEqual(
    { ...event, id: '-' },
    {
      specversion: '1.0',
      id: '-',
      source: '/services/ep/deployments/blue',
      type: 'azureml.inference.model_inputs',
      datacontenttype: 'application/json',
      time: '2026-03-05T18:16:25Z',
      data: [
        { age: 41, name: 'é' },
        { age: null, name: 'x' },
      ],
      correlationid: 'first',
      xrequestid: 'first',
      contentrange: 'bytes 0-47/48',
      modelversion: 'default',
      collectdatatype: 'pandas.core.frame.DataFrame',
      agent: 'test/1',
    },
  );
});

test('appends whose answers are lost are neither repeated nor left out', async (t) => {
  const azurite = await Azurite.start(t);
  const proxy = await startProxy(t, azurite.port);
  const writer = new TestWriter(await storageAt(azurite, proxy.port));
  let appends = 0;
  proxy.fate = (method, url) => (isAppend(method, url) && appends++ % 2 === 0 ? 'lose answer' : 'pass');
  for (let round = 0; round < 5; round++) {
    writer.collect(round * 100, round * 100 + 100, 'model_inputs', 'x'.repeat(12_000));
    await writer.sent(round * 100 + 80);
  }
  await writer.close();
  assert.ok(appends > 5);
  assert.deepEqual(await arrived(azurite), numbers(500));
  assert.equal(writer.counts.of('model_inputs').dropped, 0);
});

test('a blob server that restarts mid-stream gets every line once', async (t) => {
  const azurite = await Azurite.start(t);
  const writer = new TestWriter(await storageAt(azurite), { spillDir: folder() });
  writer.collect(0, 200);
  await writer.sent(200);
  await azurite.stop();
  writer.collect(200, 300);
  await writer.said('cannot be delivered');
  writer.collect(300, 400);
  assert.ok(writer.counts.of('model_inputs').sent < 400);
  await azurite.start();
  await writer.sent(400);
  await writer.close();
  assert.deepEqual(
    (await arrived(azurite)).toSorted((a, b) => a - b),
    numbers(400),
  );
  assert.ok(writer.lines.some((line) => line.includes('again')));
});

test('a blob with a foreign writer is left to it: the sink goes on in another', async (t) => {
  const azurite = await Azurite.start(t);
  const container = azurite.container();
  const writer = new TestWriter(await storageAt(azurite));
  writer.collect(0, 10);
  await writer.sent(10);
  const foreign = container.getAppendBlobClient(`ep/blue/model_inputs/2026/03/05/18/${writer.instance}.jsonl`);
  await foreign.appendBlock('foreign\n', 8);
  writer.collect(10, 20);
  await writer.close();
  const blobs = await azurite.blobs();
  assert.deepEqual([...blobs.keys()].length, 2);
  assert.match(blobs.get(foreign.name)?.toString() ?? '', /foreign\n$/);
  assert.match(blobs.get(foreign.name.replace('.jsonl', '-1.jsonl'))?.toString() ?? '', /"n":10\b/);
});

test('a blob is followed by another at the limit of blocks, and at the limit of bytes', async (t) => {
  const azurite = await Azurite.start(t);
  const writer = new TestWriter(await storageAt(azurite), { limits: { blocks: 2, bytes: 1e9 } });
  for (let n = 0; n < 5; n++) {
    writer.collect(n, n + 1);
    await writer.sent(n + 1);
  }
  await writer.close();
  assert.equal((await azurite.blobs()).size, 3);
  assert.deepEqual(
    (await arrived(azurite)).toSorted((a, b) => a - b),
    numbers(5),
  );
});

test('a throttled account gets a retry after the time that it names', async (t) => {
  const azurite = await Azurite.start(t);
  const proxy = await startProxy(t, azurite.port);
  const writer = new TestWriter(await storageAt(azurite, proxy.port));
  let refusals = 0;
  const times: number[] = [];
  proxy.fate = (method, url) => {
    if (!isAppend(method, url)) return 'pass';
    times.push(performance.now());
    return refusals++ === 0 ? { status: 503, headers: { 'retry-after': '1' } } : 'pass';
  };
  writer.collect(0, 3);
  await writer.sent(3);
  await writer.close();
  assert.ok((times[1] ?? 0) - (times[0] ?? 0) >= 990);
  assert.equal(writer.counts.errors.get('503'), 1);
  assert.deepEqual(await arrived(azurite), numbers(3));
});

test('a blob that is deleted is followed by another, and a container that is deleted is made again', async (t) => {
  const azurite = await Azurite.start(t);
  const proxy = await startProxy(t, azurite.port);
  const container = azurite.container();
  const writer = new TestWriter(await storageAt(azurite, proxy.port));
  const name = (suffix: string): string => `ep/blue/model_inputs/2026/03/05/18/${writer.instance}${suffix}.jsonl`;
  const collectOne = async (n: number): Promise<string[]> => {
    writer.collect(n, n + 1);
    await writer.sent(n + 1);
    return [...(await azurite.blobs()).keys()];
  };
  await collectOne(0);
  await container.deleteBlob(name(''));
  assert.deepEqual(await collectOne(1), [name('-1')]);
  // Deleted when it is asked whether an append was done.
  await container.deleteBlob(name('-1'));
  let refused = false;
  proxy.fate = (method, url) => {
    if (refused || !isAppend(method, url)) return 'pass';
    refused = true;
    return { status: 412, code: 'AppendPositionConditionNotMet' };
  };
  assert.deepEqual(await collectOne(2), [name('-2')]);
  await container.delete();
  assert.deepEqual(await collectOne(3), [name('-3')]);
  await writer.close();
  assert.deepEqual(await arrived(azurite), [3]);
  assert.equal(writer.counts.errors.size, 0);
});

test('a container that is being deleted is waited for: nothing is dropped', async (t) => {
  const azurite = await Azurite.start(t);
  const proxy = await startProxy(t, azurite.port);
  const writer = new TestWriter(await storageAt(azurite, proxy.port));
  let refusals = 0;
  proxy.fate = (method, url) => (isCreate(method, url) && refusals++ < 2 ? { status: 409, code: 'ContainerBeingDeleted' } : 'pass');
  writer.collect(0, 3);
  await writer.sent(3);
  await writer.close();
  assert.deepEqual(await arrived(azurite), numbers(3));
  assert.equal(writer.counts.errors.get('ContainerBeingDeleted'), 2);
});

test('records that an account refuses for good are dropped, counted, and kept as a dead letter', async (t) => {
  const azurite = await Azurite.start(t);
  const proxy = await startProxy(t, azurite.port);
  const spillDir = folder();
  const writer = new TestWriter(await storageAt(azurite, proxy.port), { spillDir });
  proxy.fate = (method, url) => (isAppend(method, url) ? { status: 400 } : 'pass');
  writer.collect(0, 3);
  await writer.until((counts) => counts.of('model_inputs').dropped === 3);
  await writer.close();
  assert.equal(writer.counts.dropped.get('rejected'), 3);
  assert.deepEqual(readdirSync(join(spillDir, 'dead-letters')), [`${writer.instance}.jsonl`]);
});

test('records that a stopped process left on disk are delivered by the next one', async (t) => {
  const azurite = await Azurite.start(t);
  const proxy = await startProxy(t, azurite.port);
  const spillDir = folder();
  proxy.fate = () => ({ status: 500 });
  const first = new TestWriter(await storageAt(azurite, proxy.port), { spillDir });
  first.collect(0, 10_000);
  await first.close(2000);
  const counts = first.counts.of('model_inputs');
  assert.deepEqual([counts.sent, counts.spilled, counts.dropped], [0, 10_000, 0]);
  // As if that process were gone: its folder says that another started with its id.
  const owner = join(spillDir, first.instance, 'owner.json');
  writeFileSync(owner, readFileSync(owner, 'utf8').replace(/"started":"[^"]*"/, '"started":"before"'));
  proxy.fate = () => 'pass';
  const second = new TestWriter(await storageAt(azurite, proxy.port), { spillDir });
  await second.sent(10_000);
  await second.close();
  assert.deepEqual(
    (await arrived(azurite)).toSorted((a, b) => a - b),
    numbers(10_000),
  );
  assert.deepEqual(readdirSync(spillDir), []);
});

test('an account that hangs delays neither the stop nor the counts', async (t) => {
  const azurite = await Azurite.start(t);
  const proxy = await startProxy(t, azurite.port);
  proxy.fate = (method, url) => (isAppend(method, url) ? 'hang' : 'pass');
  const writer = new TestWriter(await storageAt(azurite, proxy.port));
  writer.collect(0, 50);
  const began = performance.now();
  await writer.close(700);
  assert.ok(performance.now() - began < LONGEST_STOP_MS);
  assert.equal(writer.counts.dropped.get('flush_timeout'), 50);
});

test('a large array is stored beside the lines, and its line refers to it', async (t) => {
  const azurite = await Azurite.start(t);
  const writer = new TestWriter(await storageAt(azurite));
  writer.rows('model_inputs', 'large', [{ text: 'x'.repeat(5_000_000) }]);
  await writer.close();
  const blobs = await azurite.blobs();
  const [event] = eventsOf(blobs, 'model_inputs');
  const reference = String(event?.['dataref']);
  const name = reference.slice(reference.indexOf('/modeldata/') + '/modeldata/'.length);
  assert.match(name, /^ep\/blue\/2026\/03\/05\/18\/[0-9a-f-]{36}\.json$/);
  assert.equal((JSON.parse(blobs.get(name)?.toString() ?? '') as { text: string }[])[0]?.text.length, 5_000_000);
});
