import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import packageJson from '../../package.json' with { type: 'json' };
import { neededPackages, unusedDependencies } from '../../docker/unused-dependencies.ts';
import { Azurite } from '../collection/azurite.ts';
import { startIdentityEndpoint } from '../collection/identity-endpoint.ts';
import { ServerProcess } from '../e2e/start-server.ts';
import { folder } from '../set-up/folder.ts';
import { IngestionServer } from './ingestion-server.ts';
import { startCollector } from './span-collector.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const PRELOAD = fileURLToPath(new URL('loaded-packages.ts', import.meta.url));
const DEPENDENCIES = Object.keys(packageJson.dependencies);

/** Loaded by every server that scores. prom-client loads the API of spans. */
const ALWAYS = ['@opentelemetry/api', '@fastify/accept-negotiator', 'fastify', 'onnxruntime-node', 'pino', 'prom-client'];
/** No dependency: `debug` loads it where another package has brought it. */
const TRIED = /\/(?:supports-color|has-flag)$/;
/** A key that every server takes that asks for one. */
const API_KEY = 'an-example-key-of-32-characters';
const SCRIPT = ['--entry-script', 'echo.ts'];

/**
 * Folders of the packages that host, workers and threads of a server load, from the start to the
 * end of a drain.
 */
async function loadedBy(t: TestContext, env: Record<string, string>): Promise<Set<string>> {
  const file = join(folder(), 'loaded');
  const server = new ServerProcess(SCRIPT, {
    env: { DRAIN_DELAY_MS: '0', ...env, LOADED_PACKAGES: file, NODE_OPTIONS: `--import=${PRELOAD}` },
  });
  t.after(() => server.stop());
  await server.ready();
  assert.equal((await server.score(1, { 'api-key': API_KEY })).status, 200);
  assert.equal(await server.status('/metrics'), 200);
  await server.drain();
  const urls = readFileSync(file, 'utf8').trim().split('\n');
  return new Set(urls.map((url) => /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+/.exec(fileURLToPath(url))?.[0] ?? url));
}

/** The dependencies of package.json among them. */
const direct = (loaded: ReadonlySet<string>): string[] =>
  DEPENDENCIES.filter((name) => loaded.has(join(ROOT, 'node_modules', name))).toSorted();

/** Every package that was loaded is in the image, too. */
function expectShipped(loaded: ReadonlySet<string>): void {
  const shipped = neededPackages(ROOT.replace(/\/$/, ''), unusedDependencies);
  assert.deepEqual(
    [...loaded].filter((path) => !shipped.has(path) && !TRIED.test(path)),
    [],
  );
}

/** An issuer of tokens, with its public key. */
function issuer(): Record<string, string> {
  const file = join(folder(), 'keys.json');
  const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  writeFileSync(file, JSON.stringify({ keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'one', alg: 'ES256', use: 'sig' }] }));
  return { JWT_JWKS_FILE: file, JWT_ISSUER: 'https://issuer.example', JWT_AUDIENCE: 'scoring' };
}

const optional: readonly [what: string, env: (t: TestContext) => Promise<Record<string, string>>, packages: readonly string[]][] = [
  ['no option', async () => ({}), []],
  ['Application Insights', async (t) => (await IngestionServer.start(t)).env, ['applicationinsights']],
  ['keys', async () => ({ SCORING_KEYS: API_KEY }), []],
  ['tokens of an issuer', async () => ({ SCORING_KEYS: API_KEY, ...issuer() }), ['jose']],
  [
    'spans as JSON',
    async (t) => ({ OTEL_EXPORTER_OTLP_ENDPOINT: (await startCollector(t)).url, OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json' }),
    ['@opentelemetry/core', '@opentelemetry/exporter-trace-otlp-http'],
  ],
  [
    'spans as protobuf',
    async (t) => ({ OTEL_EXPORTER_OTLP_ENDPOINT: (await startCollector(t)).url, OTEL_EXPORTER_OTLP_PROTOCOL: 'http/protobuf' }),
    ['@opentelemetry/core', '@opentelemetry/exporter-trace-otlp-proto'],
  ],
  [
    'a storage account with a key',
    async (t) => ({ MDC_COLLECTIONS: 'request', MDC_BLOB_CONNECTION_STRING: (await Azurite.start(t)).connectionString() }),
    ['@azure/storage-blob'],
  ],
  [
    'a storage account with an identity',
    async (t) => {
      const [azurite, identity] = [await Azurite.start(t, true), await startIdentityEndpoint(t)];
      const certificate = { NODE_EXTRA_CA_CERTS: azurite.certificate! };
      return { MDC_COLLECTIONS: 'request', ...identity.env, ...certificate, MDC_BLOB_ACCOUNT_URL: azurite.url() };
    },
    ['@azure/identity', '@azure/storage-blob'],
  ],
];

for (const [what, env, packages] of optional)
  test(`with ${what}, a server loads ${packages.join(', ') || 'no package that an option needs'}, and all are in the image`, async (t) => {
    const loaded = await loadedBy(t, await env(t));
    assert.deepEqual(direct(loaded), [...ALWAYS, ...packages].toSorted());
    expectShipped(loaded);
  });
