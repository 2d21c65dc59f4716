/** The numbers of docs/promises.md. The tests of this folder assert them. */

/** Longest probe of a loaded server at the 99th percentile, milliseconds. */
export const PROBE_P99_MS = 10;
/** The same as a multiple of an idle server's beside it, where the machine itself is slower. */
export const PROBE_RATIO = 3;
/** The same beside bodies of 30 MB, which come as fast as the server takes them. */
export const UPLOADS_P99_MS = 25;
/** The same beside uploads in chunks of one byte, of which one read may bring 11,000. */
export const CHUNKS_P99_MS = 30;
/** The same as a share of a bare `node:http` server's under the same load, on a slower machine. */
export const CHUNKS_BARE_SHARE = 0.5;
/** From the loss of the only worker to the first readiness probe that answers 503. */
export const TRUTH_MS = 500;

/** Arrivals under overload, as a multiple of the capacity. */
export const OVERLOAD = 10;
/** Good answers a second under overload, as a share of the capacity. */
export const GOODPUT = 0.8;
/** Longest wait for a 429 at the 99th percentile, milliseconds. */
export const REFUSAL_P99_MS = 100;
/** What the host may take for an overload, megabytes. */
export const OVERLOAD_MB = 100;
/** p99 after an overload, as a multiple of p99 before it. */
export const RECOVERED_RATIO = 3;

/** Idle connections of one host. */
export const IDLE_CONNECTIONS = 10_000;
/** Memory of the host for each of them, kilobytes. */
export const CONNECTION_KB = 20;
/** From the stop of listening to the end of all idle connections, milliseconds. */
export const IDLE_CLOSED_MS = 5000;

/** Broken clients a second. */
export const BROKEN_PER_SECOND = 300;
/** Good answers a second beside them, as a share of those without them. */
export const BESIDE_BROKEN = 0.6;
/** p99 of a good client beside them, as a multiple of that without them. */
export const BROKEN_P99_RATIO = 3;
/** What a warm host may take for thousands of them, megabytes. */
export const BROKEN_MB = 150;
