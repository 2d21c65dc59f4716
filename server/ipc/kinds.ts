/**
 * The kinds of frames between host and worker, and the version of the wire that README.md
 * describes. A new kind does not compile until both sides write and read it (to-worker.ts,
 * from-host.ts, to-host.ts, from-worker.ts).
 */

/**
 * Raised when a frame of one version would be misread by the other. `start` and `ready` carry it.
 */
export const PROTOCOL_VERSION = 2;

/** Frames of the host. */
export const HostKind = { start: 1, score: 2, cancel: 3, credit: 4, redact: 5 } as const;

/** Frames of a worker. */
export const WorkerKind = {
  ready: 16,
  startFailed: 17,
  reply: 18,
  failure: 19,
  stream: 20,
  chunk: 21,
  end: 22,
  broken: 23,
  log: 24,
  cancelled: 25,
  metrics: 26,
  times: 27,
  collect: 28,
  notCollected: 29,
  redacted: 30,
  loaded: 31,
  trying: 32,
  returned: 33,
} as const;

export type HostKindName = keyof typeof HostKind;
export type HostKind = (typeof HostKind)[HostKindName];
export type WorkerKindName = keyof typeof WorkerKind;
export type WorkerKind = (typeof WorkerKind)[WorkerKindName];
