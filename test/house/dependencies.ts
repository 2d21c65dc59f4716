import { readdirSync, readFileSync, lstatSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import packageJson from '../../package.json' with { type: 'json' };
import { neededPackages, unusedDependencies } from '../../docker/unused-dependencies.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '');
const MODULES = join(ROOT, 'node_modules');

/** When each dependency is loaded, and what it is for. A dependency without a row fails a test. */
const reasons: Readonly<Record<string, readonly [loaded: string, why: string]>> = {
  '@azure/identity': ['with `MDC_BLOB_ACCOUNT_URL` without a SAS', 'tokens of the container for its storage account'],
  '@azure/storage-blob': ['with the sink `azure-blob`', 'append blobs of collected data'],
  '@fastify/accept-negotiator': ['at the start', '`Accept-Encoding` of answers'],
  '@opentelemetry/api': ['at the start, by prom-client', 'constants of spans'],
  '@opentelemetry/core': ['with `OTEL_EXPORTER_OTLP_ENDPOINT`', 'results of exporters'],
  '@opentelemetry/exporter-trace-otlp-http': ['with spans as JSON', 'spans to a collector'],
  '@opentelemetry/exporter-trace-otlp-proto': ['with spans as protobuf', 'spans to a collector'],
  applicationinsights: ['with a connection string, in a thread', 'envelopes of Application Insights'],
  ajv: ['in workers of scripts that export `schema`', 'the check of their data'],
  fastify: ['at the start', 'routes'],
  jose: ['with `JWT_JWKS_URL` or `JWT_JWKS_FILE`', 'signatures of tokens'],
  'jsonc-parser': ['at the first body that is no JSON', 'the place of the mistake'],
  'onnxruntime-node': ['at the start, in the workers', 'models'],
  pino: ['at the start', 'log lines'],
  'pino-pretty': ['with a terminal', 'readable log lines'],
  'prom-client': ['at the start', 'metrics'],
};

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly license: string;
}

const manifestOf = (path: string): Manifest => JSON.parse(readFileSync(join(path, 'package.json'), 'utf8'));

/** Bytes of a package, without the packages that are nested in it. */
function bytesOf(path: string, isRoot = true): number {
  const stat = lstatSync(path);
  if (!stat.isDirectory()) return stat.size;
  const names = readdirSync(path).filter((name) => !(isRoot && name === 'node_modules'));
  return names.reduce((sum, name) => sum + bytesOf(join(path, name), false), 0);
}

/** Every package at run time, by its folder. */
export function runtimePackages(): Manifest[] {
  return [...neededPackages(ROOT, {})].filter((path) => path !== ROOT).map(manifestOf);
}

/** The direct dependencies, with what each brings; a package that two bring counts for both. */
export function dependenciesTable(): string {
  const megabytes = (paths: Iterable<string>): string => (Array.from(paths).reduce((sum, path) => sum + bytesOf(path), 0) / 1e6).toFixed(1);
  const rows = Object.keys(packageJson.dependencies).map((name) => {
    const path = join(MODULES, name);
    const { version, license } = manifestOf(path);
    const [all, shipped] = [neededPackages(path, {}), neededPackages(path, unusedDependencies)];
    const [loaded, why] = reasons[name] ?? [];
    if (loaded === undefined) throw new Error(`${name} has no row in test/house/dependencies.ts: say when it is loaded, and why`);
    return `| ${name} | ${version} | ${license} | ${all.size - 1} | ${shipped.size - 1} | ${megabytes(all)} | ${loaded} | ${why} |`;
  });
  const everything = neededPackages(ROOT, {});
  everything.delete(ROOT);
  const total = `${everything.size} packages, ${megabytes(everything)} MB, before the image's build removes what it does not need.`;
  return [
    total,
    '',
    '| package | version | licence | brings | in the image | MB installed | loaded | for |',
    '|---|---|---|---|---|---|---|---|',
    ...rows,
  ].join('\n');
}
