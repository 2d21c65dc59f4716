import assert from 'node:assert/strict';
import test from 'node:test';
import type { Storage } from '../../server/collection/deliver/append-sink.ts';
import { openBlobStorage } from '../../server/collection/deliver/blob-storage.ts';
import { decideCollection } from '../../server/collection/settings.ts';
import { readConfig } from '../../server/config/read-config.ts';
import type { ServerProcess } from '../e2e/start-server.ts';
import { folder } from '../set-up/folder.ts';
import { until } from '../set-up/until.ts';
import { samples } from '../telemetry/load.ts';
import { Azurite, eventsOf } from './azurite.ts';
import { startIdentityEndpoint, token } from './identity-endpoint.ts';
import { serve } from './start-collecting.ts';
import { numbers, TestWriter } from './start-writer.ts';

type Env = Record<string, string>;
const REQUESTS = { MDC_COLLECTIONS: 'request' };

/** The container that a server of this environment writes to. */
function storageOf(env: Env): Promise<Storage> {
  const command = readConfig({ argv: [], env, cwd: '/' });
  assert.ok(command.kind === 'serve');
  const sink = decideCollection(command.config).settings?.sink;
  assert.ok(sink?.kind === 'azure-blob');
  return openBlobStorage(sink);
}

/** Scores once and waits until the sink has failed three times. Answers the log's lines on that. */
async function failedThrice(server: ServerProcess, id: string): Promise<string> {
  assert.equal((await server.score(1, { 'x-request-id': id })).status, 200);
  const url = await server.url('/metrics');
  const errors = async (): Promise<number> =>
    Object.values(await samples(url, 'mdc_sink_errors_total', 'code')).reduce((sum, count) => sum + count, 0);
  await until(async () => (await errors()) >= 3);
  assert.equal(await server.status('/health/ready'), 200);
  const said = server.linesWith('cannot be delivered');
  assert.equal(said.length, 1);
  return said[0]?.msg ?? '';
}

/** Ends the server, and asserts that no secret is in its log. */
async function end(server: ServerProcess): Promise<void> {
  await server.drain();
  const secrets = /sig=|Bearer|eyJ/;
  assert.ok(!secrets.test(JSON.stringify(server.lines)) && !secrets.test(server.stderr));
}

const ids = async (azurite: Azurite): Promise<string[]> =>
  eventsOf(await azurite.blobs(), 'request').map(({ correlationid }) => correlationid);

test('a SAS of the account or of the container is taken, in a connection string or in an address', async (t) => {
  const azurite = await Azurite.start(t);
  const [url, account, container] = [azurite.url(), azurite.accountSas('co'), azurite.containerSas()];
  const forms: Env[] = [
    // This one makes the container.
    { MDC_BLOB_CONNECTION_STRING: `BlobEndpoint=${url};SharedAccessSignature=${account}` },
    { MDC_BLOB_CONNECTION_STRING: `BlobEndpoint=${url}/;SharedAccessSignature=${container}` },
    { MDC_BLOB_ACCOUNT_URL: `${url}?${account}` },
    { MDC_BLOB_ACCOUNT_URL: `${url}/?${container}` },
    { MDC_BLOB_ACCOUNT_URL: `${url}/modeldata?${container}` },
  ];
  for (const env of forms) {
    const writer = new TestWriter(await storageOf(env));
    writer.collect(0, 10);
    writer.rows('model_outputs', 'large', [{ text: 'x'.repeat(4_500_000) }]);
    await writer.close();
    assert.deepEqual([[...writer.counts.errors.keys()], writer.counts.totals().droppedFor], [[], {}]);
  }
  const blobs = await azurite.blobs();
  const values = eventsOf(blobs, 'model_inputs').map(({ data }) => Number(data[0]?.['n']));
  assert.deepEqual(
    values.toSorted((a, b) => a - b),
    numbers(10).flatMap((n) => forms.map(() => n)),
  );
  for (const { dataref } of eventsOf(blobs, 'model_outputs'))
    assert.match(String(dataref), /\/devstoreaccount1\/modeldata\/ep\/[^?]*\.json$/);
  assert.deepEqual(new Set([...blobs.keys()].map((name) => name.split('/')[0])), new Set(['ep']));
});

test('a SAS that may not make the container is logged, and records are delivered once the container exists', async (t) => {
  const azurite = await Azurite.start(t);
  const writer = new TestWriter(await storageOf({ MDC_BLOB_ACCOUNT_URL: `${azurite.url()}?${azurite.accountSas('o')}` }));
  writer.collect(0, 10);
  await writer.said('the container modeldata does not exist, and cannot be created');
  await azurite.container().create();
  await writer.sent(10);
  await writer.close();
  assert.equal(eventsOf(await azurite.blobs(), 'model_inputs').length, 10);
});

test('an expired SAS is logged once, and counted; the next server delivers the records with a new one', async (t) => {
  const azurite = await Azurite.start(t);
  const spill = folder();
  const address = (sas: string): Env => ({ ...REQUESTS, MDC_BLOB_ACCOUNT_URL: `${azurite.url()}?${sas}`, MDC_SPILL_DIR: spill });
  const first = await serve(t, 'echo.ts', address(azurite.accountSas('co', -60_000)));
  assert.match(await failedThrice(first, 'waits'), /azure-blob \(403: .* The SAS expired at 2\d{3}-/);
  await end(first);
  const second = await serve(t, 'echo.ts', address(azurite.accountSas('co')));
  await second.score(1, { 'x-request-id': 'comes' });
  await end(second);
  assert.deepEqual((await ids(azurite)).toSorted(), ['comes', 'waits']);
});

test('the identity of the container writes to the account', async (t) => {
  const azurite = await Azurite.start(t, true);
  const identity = await startIdentityEndpoint(t);
  const server = await serve(t, 'echo.ts', {
    ...REQUESTS,
    ...identity.env,
    MDC_BLOB_ACCOUNT_URL: azurite.url(),
    NODE_EXTRA_CA_CERTS: azurite.certificate!,
  });
  assert.equal((await server.score(1, { 'x-request-id': 'with a token' })).status, 200);
  await end(server);
  assert.deepEqual(await ids(azurite), ['with a token']);
  assert.deepEqual(identity.asked, ['https://storage.azure.com']);
});

test('a token that the account refuses is logged once with the reason, and counted', async (t) => {
  const azurite = await Azurite.start(t, true);
  const identity = await startIdentityEndpoint(t);
  identity.token = token('https://vault.azure.net');
  const env = { MDC_BLOB_ACCOUNT_URL: azurite.url(), NODE_EXTRA_CA_CERTS: azurite.certificate!, MDC_FLUSH_TIMEOUT_MS: '200' };
  const server = await serve(t, 'echo.ts', { ...REQUESTS, ...identity.env, ...env });
  assert.match(await failedThrice(server, 'refused'), /azure-blob \(403: .* Invalid token audience\./);
  await end(server);
});

test('an identity without a token is logged once with the reason, and records are delivered once it has one', async (t) => {
  const azurite = await Azurite.start(t, true);
  const identity = await startIdentityEndpoint(t);
  identity.token = undefined;
  const server = await serve(t, 'echo.ts', {
    ...REQUESTS,
    ...identity.env,
    MDC_BLOB_ACCOUNT_URL: azurite.url(),
    NODE_EXTRA_CA_CERTS: azurite.certificate!,
  });
  assert.match(await failedThrice(server, 'waits'), /ManagedIdentityCredential: .*no identity here/);
  identity.token = token();
  await server.said('is delivered to azure-blob again');
  await end(server);
  assert.deepEqual(await ids(azurite), ['waits']);
});
