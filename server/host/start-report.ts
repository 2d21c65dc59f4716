import type { Access } from '../access/access.ts';
import type { Config } from '../config/config.ts';
import { type Found, scriptsIn } from '../config/discovery.ts';
import { loggingFile } from '../config/logging-file.ts';
import type { Profile } from '../config/platforms/platforms.ts';
import { languageOf } from '../config/script-language.ts';
import { toServerError } from '../errors.ts';
import { withoutKeys } from '../guards/addresses.ts';
import { pythonTraceback } from '../guards/python-traceback.ts';
import { folderTree, statOf } from '../system/folders.ts';
import type { ReadyMessage, ServedModel } from '../ipc/worker-messages.ts';
import type { Log } from '../log.ts';

/** Logs where the server listens, and how long a stop takes. */
export function reportListening(log: Log, config: Config, version: string, ports: readonly number[]): void {
  log.info({ host: config.host, port: ports[0], ports, pid: process.pid, node: process.version, version }, 'listening');
  log.info(
    `SIGTERM drains for at most ${config.drainTimeoutMs} ms, ${config.drainDelayMs} ms of it with the port still open: give the platform's grace period more than that`,
  );
  const { drainTimeoutMs, drainDelayMs, scoringTimeoutMs } = config;
  if (drainTimeoutMs - drainDelayMs < scoringTimeoutMs)
    log.info(
      { drainTimeoutMs, drainDelayMs, scoringTimeoutMs },
      'a drain is shorter than the deadline of a request: a request that takes longer than the rest of DRAIN_TIMEOUT_MS gets 503',
    );
}

/** Logs who may call. Nobody else reaches a loopback address. */
export function reportAccess(log: Log, { host, tlsClientCaFile }: Config, access: Access | undefined): void {
  if (access !== undefined) log.info({ keys: access.keys }, 'callers need a key or token, except for probes');
  else if (tlsClientCaFile === '' && !/^(?:127\.|::1$|localhost$)/i.test(host))
    log.info('everybody who reaches the port may call: set SCORING_KEYS or SCORING_KEYS_FILE to ask for a key');
}

/** Logs where collected data goes, and how long a stop may take for it. */
export function reportCollection(log: Log, { sink, flushTimeoutMs, spillDir }: CollectionReport): void {
  log.info(
    { sink: sink.kind, spillDir: spillDir === '' ? undefined : spillDir },
    `model data is collected; SIGTERM takes at most ${flushTimeoutMs} ms more to deliver what is left (MDC_FLUSH_TIMEOUT_MS)`,
  );
}

interface CollectionReport {
  readonly sink: { readonly kind: string };
  readonly flushTimeoutMs: number;
  readonly spillDir: string;
}

/** Logs the profile, why it is this one, and a limit of its platform that is below an option. */
export function reportProfile(log: Log, { platform, why, routes, startLimit }: Profile, { initTimeoutMs }: Config): void {
  log.info({ profile: platform.name, routes: routes.map(({ path }) => path) }, `profile ${platform.name} (${platform.title}): ${why}`);
  if (startLimit !== undefined && startLimit.ms < initTimeoutMs)
    log.info(
      { [startLimit.variable]: startLimit.ms / 1000, initTimeoutMs },
      `init() may take ${initTimeoutMs / 1000} s (INIT_TIMEOUT_MS), and ${platform.title} ends a container that is not ready after ${startLimit.ms / 1000} s: raise ${startLimit.variable}, or lower INIT_TIMEOUT_MS`,
    );
}

/** Logs that the platform may collect the data that this server is asked to collect. */
export function reportBothCollect(log: Log, { platform }: Pick<Profile, 'platform'>): void {
  if (platform.collects === undefined) return;
  log.warn(
    { profile: platform.name },
    `model data may be collected twice: by this server, because its options ask for it, and by the platform. ${platform.collects}`,
  );
}

/** Logs what lies beside the chosen script and might be meant, or has no effect. */
export function reportFound(log: Log, config: Config, found: Found): void {
  const { kind, entryScript, importPath } = found;
  const others = config.entryScript === '' && kind === 'entry script' ? scriptsIn(importPath).filter((path) => path !== entryScript) : [];
  if (others.length > 0)
    log.info(
      { entryScript, others },
      `several entry scripts are there, and ${entryScript} is served: name another with AZUREML_ENTRY_SCRIPT`,
    );
  const logging = languageOf(entryScript) === 'python' ? undefined : loggingFile(config, found);
  if (logging !== undefined) log.warn(`${logging} has no effect: it configures Python's logging. Use AZUREML_LOG_LEVEL and LOG_FORMAT`);
}

/** Logs that the server is ready, and for what. No user wrote the script that serves a model. */
export function reportReady(log: Log, { kind, entryScript, modelFile }: Found, { models, concurrency, runtime }: ReadyMessage): void {
  const served = kind === 'model without code' ? { modelFile } : { entryScript };
  log.info({ kind, ...served, models: models.map(({ name }) => name), concurrency, runtime }, 'ready');
  if (kind === 'sample')
    log.warn(
      'no entry script and no model is named or found: this is the sample. Name yours with --entry-script, --model or AZUREML_MODEL_DIR',
    );
}

/** Logs once which outputs no answer has. */
export function reportOmitted(log: Log, models: readonly ServedModel[]): void {
  for (const { name: model, omittedOutputs = [] } of models) {
    if (omittedOutputs.length === 0) continue;
    const reasons = omittedOutputs.map(({ name, reason }) => `${name} is ${reason}`);
    log.warn(
      { model, omittedOutputs: omittedOutputs.map(({ name }) => name) },
      `model ${model}: outputs that cannot be carried are left out of every answer: ${reasons.join('; ')}`,
    );
  }
}

/** Logs that no deep check can succeed. */
export function reportNoSample(log: Log): void {
  log.warn(
    'DEEP_CHECK has no effect but 503: there is no sample. Give the entry script a `sample`; a model without code needs inputs of its warm-up (WARM_UP=on)',
  );
}

/** Logs what Application Insights does not get although an option asks for it. */
export function reportWithheld(log: Log): void {
  log.info(
    'Application Insights gets no bodies and no queries: the entry script redacts what is collected, and its hook does not see what is sent there',
  );
}

/** Logs a failure in one line, with its stack beside it. Returns the exit code. */
export function reportFailure(log: Log, thrown: unknown, config: Config): number {
  const error = toServerError(thrown);
  const message = withoutKeys(error.message);
  const exitCode = error.failure.exitCode ?? 1;
  const tree =
    exitCode === 3 && config.modelDir !== '' && statOf(config.modelDir) !== undefined
      ? `The model directory ${config.modelDir} holds:\n${folderTree(config.modelDir)}`
      : undefined;
  log.fatal({ code: error.code, exitCode, ...partsOf(message), tree }, oneLine(message));
  return exitCode;
}

const FRAME = /^ +at /m;
/** The place of an error of the parser, which lines of code and an empty line follow. */
const PLACE = /^\S+:\d+$/;

/** The whole text of several lines, as a field. */
function partsOf(text: string): { readonly stack?: string; readonly text?: string } {
  if (!text.includes('\n')) return {};
  return FRAME.test(text) || pythonTraceback(text) !== undefined || text.split('\n').some((line) => PLACE.test(line))
    ? { stack: text }
    : { text };
}

/**
 * The lines of a text as one. Of a stack, those that name an error or say what to do: frames,
 * fields and lines of code are indented, or begin with a small letter.
 */
function oneLine(text: string): string {
  const [first = '', ...rest] = text.split('\n');
  const python = pythonTraceback(text);
  if (python !== undefined) return joined(python.told);
  const afterCode = PLACE.test(rest[0] ?? '') ? rest.slice(rest.indexOf('') + 1) : rest;
  const told = 'stack' in partsOf(text) ? afterCode.filter((line) => /^[A-Z]/.test(line)) : rest.map((line) => line.trim());
  return joined([first, ...told.filter(Boolean)]);
}

function joined([first = '', ...rest]: readonly string[]): string {
  return rest.reduce((line, next) => `${line}${/[.:;]$/.test(line) ? '' : ';'} ${next}`, first);
}
