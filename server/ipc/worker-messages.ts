import { isErrorCode } from '../errors.ts';
import { FrameError, readUint32 } from './frames.ts';
import type { MetricsMessage } from './metric-series.ts';
import { isDtype } from '../tensors/dtypes.ts';
import type { RunTimes } from './run-times.ts';
import type { FailureMessage, LogMessage, NotCollected, ReadyMessage, Redaction, ServedModel } from './protocol.ts';
import { MOST_MESSAGE_BYTES } from './protocol.ts';

/**
 * Checks of what workers send as JSON. A script shares the process with the worker's code, so that none of it can be taken as it
 * comes. Each check looks at every member once.
 */
type Check = (value: unknown) => boolean;

const text: Check = (value) => typeof value === 'string';
const flag: Check = (value) => typeof value === 'boolean';
const finite: Check = (value) => Number.isFinite(value);
const count: Check = (value) => Number.isSafeInteger(value) && Number(value) >= 0;
const positive: Check = (value) => count(value) && value !== 0;
const pattern =
  (expression: RegExp): Check =>
  (value) =>
    typeof value === 'string' && expression.test(value);
const oneOf =
  (...values: readonly string[]): Check =>
  (value) =>
    typeof value === 'string' && values.includes(value);
const either =
  (...checks: readonly Check[]): Check =>
  (value) =>
    checks.some((check) => check(value));
const maybe = (check: Check): Check => either((value) => value === undefined, check);
const listOf =
  (check: Check): Check =>
  (value) =>
    Array.isArray(value) && value.every(check);
const object: Check = (value) => typeof value === 'object' && value !== null && !Array.isArray(value);
const shape = (members: Readonly<Record<string, Check>>): Check => {
  const entries = Object.entries(members);
  return (value) => object(value) && entries.every(([name, check]) => check((value as Record<string, unknown>)[name]));
};

const ascending: Check = (value) =>
  Array.isArray(value) && value.every((bound, at) => Number.isFinite(bound) && (at === 0 || bound > value[at - 1]));
const metricName = pattern(/^[a-zA-Z_:][a-zA-Z0-9_:]*$/);
const labelNames = listOf(pattern(/^(?!__)[a-zA-Z_][a-zA-Z0-9_]*$/));
const collectionName = pattern(/^[a-z0-9][a-z0-9_.-]{0,199}$/);
const tensors = listOf(shape({ name: text, type: isDtype, dims: listOf(either(text, finite)) }));

const failure = shape({ code: isErrorCode, message: text });
const log = shape({
  level: oneOf('debug', 'info', 'warn', 'error'),
  msg: text,
  requestId: maybe(text),
  traceId: maybe(text),
  spanId: maybe(text),
  fields: maybe(object),
  cut: maybe(flag),
  dropped: maybe(count),
});
const inference = shape({ model: text, at: finite, ms: finite, rows: finite });
const times = shape({ at: finite, ms: finite, inferences: listOf(inference) });
const model = shape({
  name: text,
  inputs: tensors,
  outputs: tensors,
  provider: text,
  intraOpThreads: finite,
  ortVersion: text,
  loadSeconds: finite,
  batching: shape({ merges: flag, reason: text }),
});
const ready = shape({ rawHttp: flag, parsesJson: flag, redacts: flag, concurrency: positive, models: listOf(model) });
const metrics = shape({
  defined: listOf(
    either(
      shape({ kind: oneOf('counter', 'gauge'), name: metricName, help: text, labels: labelNames }),
      shape({ kind: oneOf('histogram'), name: metricName, help: text, labels: labelNames, buckets: ascending }),
    ),
  ),
  changes: listOf(shape({ name: text, labels: listOf(text), value: finite, counts: maybe(listOf(count)) })),
});
const notCollected = listOf(shape({ collection: collectionName, reason: oneOf('sampled_out', 'invalid_data'), count }));
const redactions = listOf(
  either((value) => value === null, oneOf('hook_failed', 'hook_timeout'), shape({ contentType: text, bytes: count })),
);
const collectHead = shape({
  id: text,
  time: finite,
  headers: maybe((value) => object(value) && Object.values(value as object).every(text)),
  modelVersion: maybe(text),
  v1: maybe(text),
});

const reader =
  <T>(name: string, check: Check) =>
  (payload: Buffer): T => {
    if (payload.length > MOST_MESSAGE_BYTES)
      throw new FrameError(`a message '${name}' of ${payload.length} bytes: expected at most ${MOST_MESSAGE_BYTES}`);
    let value: unknown;
    try {
      value = JSON.parse(payload.toString());
    } catch {
      throw new FrameError(`a message '${name}' that is not JSON: ${excerpt(payload)}`);
    }
    if (!check(value)) throw new FrameError(`a message '${name}' of another form than expected: ${excerpt(payload)}`);
    return value as T;
  };

/** The readers of payloads that are JSON, by name. @throws FrameError that says what came */
export const messages = {
  failure: reader<FailureMessage>('failure', failure),
  log: reader<LogMessage>('log', log),
  times: reader<RunTimes>('times', times),
  metrics: reader<MetricsMessage>('metrics', metrics),
  ready: reader<ReadyMessage>('ready', ready),
  loaded: reader<ServedModel>('loaded', model),
  notCollected: reader<readonly NotCollected[]>('notCollected', notCollected),
};
const readRedactions = reader<readonly Redaction[]>('redacted', redactions);
const readCollectHead = reader<unknown>('collect', collectHead);

/** The heads of a `redacted` frame, and where the bodies begin. @throws FrameError */
export function readRedacted(payload: Buffer, sides: number): { readonly heads: readonly Redaction[]; readonly bodiesAt: number } {
  const bodiesAt = lengthPrefixed(payload, 0, 'redacted');
  const heads = readRedactions(payload.subarray(4, bodiesAt));
  const bytes = heads.reduce((sum, head) => sum + (typeof head === 'object' && head !== null ? head.bytes : 0), bodiesAt);
  if (heads.length !== sides || bytes !== payload.length)
    throw new FrameError(`a message 'redacted' of ${heads.length} bodies and ${payload.length} bytes: expected ${sides} and ${bytes}`);
  return { heads, bodiesAt };
}

/** Checks a `collect` frame, but for what its rows contain. @throws FrameError */
export function checkCollect(payload: Buffer): void {
  const nameEnd = 1 + (payload[0] ?? 0);
  if (!collectionName(payload.toString('latin1', 1, nameEnd)))
    throw new FrameError(`a message 'collect' of a collection without a name: ${excerpt(payload)}`);
  const rowsAt = lengthPrefixed(payload, nameEnd, 'collect');
  readCollectHead(payload.subarray(nameEnd + 4, rowsAt));
  if (payload[rowsAt] !== 0x5b || payload.at(-1) !== 0x5d) throw new FrameError(`a message 'collect' without rows: ${excerpt(payload)}`);
}

/** Where that ends which has its length before it. */
function lengthPrefixed(payload: Buffer, at: number, name: string): number {
  const end = payload.length < at + 4 ? Infinity : at + 4 + readUint32(payload, at);
  if (end > payload.length) throw new FrameError(`a message '${name}' that is too short: ${payload.length} bytes`);
  return end;
}

/** The beginning, for the log. */
function excerpt(payload: Buffer): string {
  return JSON.stringify(payload.toString('latin1', 0, 100));
}
