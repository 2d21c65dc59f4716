/** What a client of the gRPC port may have open, send, and leave undone: server/README.md, section gRPC, says why. */
export interface GrpcLimits {
  /** Connections at a time; the next ones are closed. */
  readonly connections: number;
  /** Calls of one connection at a time, which the client is told; the next ones are refused, and may be tried again. */
  readonly callsOfConnection: number;
  /** Calls of all connections at a time; the next ones are refused, and may be tried again. */
  readonly calls: number;
  /** Calls of Watch at a time. */
  readonly watchers: number;
  /** Names and values of a call's metadata. */
  readonly metadataBytes: number;
  /** The message of every method but ModelInfer, inflated too. */
  readonly smallMessageBytes: number;
  /** A window of an upload, and the bytes that each must bring. */
  readonly uploadWindowMs: number;
  readonly uploadWindowBytes: number;
  /** Longest time in which a client takes nothing of its answer. */
  readonly answerIdleMs: number;
  /** Until the first call of a connection. */
  readonly firstCallMs: number;
  /** Between two calls of a connection. */
  readonly connectionIdleMs: number;
}

export const defaultLimits: Omit<GrpcLimits, 'answerIdleMs'> = {
  connections: 1024,
  callsOfConnection: 256,
  calls: 8192,
  watchers: 256,
  metadataBytes: 16 * 1024,
  smallMessageBytes: 64 * 1024,
  uploadWindowMs: 20_000,
  uploadWindowBytes: 20 * 1024,
  firstCallMs: 30_000,
  connectionIdleMs: 300_000,
};
