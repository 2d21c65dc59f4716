import { optionRows, type Config } from './config.ts';

type Variables = Readonly<Record<string, string | undefined>>;

/** OpenTelemetry's exporter reads them by itself. No row has them. */
const OF_EXPORTERS = ['OTEL_EXPORTER_OTLP_HEADERS', 'OTEL_EXPORTER_OTLP_TRACES_HEADERS'];

/** App Service sets each app setting a second time, with this before its name. */
const SECOND_NAME = /^APPSETTING_/;
/** The SDK of IoT Edge reads them by itself. */
const OF_EDGE = ['EdgeHubConnectionString', 'IotHubConnectionString'];

/** Variables that may hold a secret of the server: those of each marked row, and aliases. */
export const secretVariables: ReadonlySet<string> = new Set([
  ...optionRows.filter(({ secret }) => secret === true).flatMap(({ env }) => [...env]),
  ...OF_EXPORTERS,
  ...OF_EDGE,
]);

/** What is wrong with WORKER_SECRETS. */
export function unknownSecrets({ workerSecrets: names }: Pick<Config, 'workerSecrets'>): string[] {
  if (names.every((name) => secretVariables.has(name))) return [];
  return [
    `WORKER_SECRETS: expected names among ${[...secretVariables].join(', ')}, because scripts get every other variable anyway, got ${JSON.stringify(names.join(','))}`,
  ];
}

/**
 * The environment of a child process: without the secrets of the server.
 * @param kept names of WORKER_SECRETS, whose second names stay, too
 */
export function withoutSecrets(env: Variables, kept: readonly string[]): NodeJS.ProcessEnv {
  const hidden = (name: string): boolean => secretVariables.has(name) && !kept.includes(name);
  return Object.fromEntries(Object.entries(env).filter(([name]) => !hidden(name.replace(SECOND_NAME, ''))));
}
