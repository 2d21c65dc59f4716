import { bytes, integer, milliseconds, oneOf, option, type OptionRows } from './option-values.ts';

const MiB = 1024 * 1024;

/** Options that limit requests, answers and their time. */
export const requestOptions = {
  queueMaxRequests: option({
    env: ['QUEUE_MAX_REQUESTS'],
    default: 256,
    parse: integer(0, 1e6),
    doc: 'Requests that may wait for a worker; more get 429. Lower it to refuse sooner under overload.',
  }),
  queueMaxBytes: option({
    env: ['QUEUE_MAX_BYTES'],
    default: 256 * MiB,
    parse: bytes,
    doc: 'Bytes of request bodies that the host holds; more get 429. Raise it for many large uploads.',
  }),
  queueWaitTimeoutMs: option({
    env: ['QUEUE_WAIT_TIMEOUT_MS'],
    default: 0,
    parse: milliseconds,
    doc: 'Longest wait for a worker, then 503. 0: only `SCORING_TIMEOUT_MS` limits the wait.',
  }),
  scoringTimeoutMs: option({
    env: ['SCORING_TIMEOUT_MS'],
    default: 60_000,
    parse: integer(1, 2 ** 31 - 1),
    doc: 'Time limit of a scoring request, of a stream to its first chunk; then 504. Raise it for slow models.',
  }),
  cancelGraceMs: option({
    env: ['CANCEL_GRACE_MS'],
    default: 2000,
    parse: milliseconds,
    doc: 'Time for a timed-out `run()` to end before its worker is replaced. Set it above your longest inference.',
  }),
  streamIdleTimeoutMs: option({
    env: ['STREAM_IDLE_TIMEOUT_MS'],
    default: 60_000,
    parse: integer(1, 2 ** 31 - 1),
    doc: 'Longest gap between two chunks of a stream, and longest wait for a client that reads nothing.',
  }),
  bodyLimitBytes: option({
    env: ['BODY_LIMIT_BYTES'],
    default: 100 * MiB,
    parse: bytes,
    doc: 'Largest request body, inflated; a larger one gets 413.',
  }),
  answerLimitBytes: option({
    env: ['ANSWER_LIMIT_BYTES'],
    default: 256 * MiB,
    parse: bytes,
    doc: 'Largest answer, or chunk of a stream; a larger one gets 500 and a log line.',
  }),
  answersMaxBytes: option({
    env: ['ANSWERS_MAX_BYTES'],
    default: 256 * MiB,
    parse: bytes,
    doc: 'Bytes of unread answers that the host holds. Above it workers wait, and stalled clients are cut off.',
  }),
  jsonNan: option<'accept' | 'refuse'>({
    env: ['JSON_NAN'],
    default: 'accept',
    parse: oneOf('accept', 'refuse'),
    doc: "Python's bare `NaN`, `Infinity`, `-Infinity` in JSON bodies. `refuse`: 400 that says what to send.",
  }),
  nonFinite: option<'string' | 'null' | 'error'>({
    env: ['NON_FINITE_NUMBERS'],
    default: 'string',
    parse: oneOf('string', 'null', 'error'),
    doc: 'NaN and infinities in JSON answers: `string` (`"NaN"`, `"-Infinity"`), `null`, or `error` (500).',
  }),
} satisfies OptionRows;
