/**
 * Longest payload that is JSON, in bytes, both ways. Why: metrics of a thousand series take about
 * 100 KiB. Longer reports are split.
 */
export const MOST_MESSAGE_BYTES = 4 * 1024 * 1024;
/**
 * Bytes that a frame may have besides an answer: its fixed part, and headers (header-fields.ts).
 */
export const MOST_HEAD_BYTES = 1024 * 1024;
/**
 * Collections of a worker, and of a host over all lives of its workers. Why a limit: scripts may
 * make names from data, and each takes series, files and memory.
 */
export const MOST_COLLECTIONS = 100;
/**
 * Longest rows of one call of a collector, and longest redacted body, in bytes. Longer ones are not
 * collected.
 */
export const MOST_COLLECTED_BYTES = 32 * 1024 * 1024;
/**
 * Milliseconds that a redaction hook may take for a body. Why a limit: host and worker hold its
 * memory until the hook ends.
 */
export const REDACT_LIMIT_MS = 10_000;
/** Bytes of a stream that may be under way before the worker waits for credit. */
export const STREAM_WINDOW = 256 * 1024;
