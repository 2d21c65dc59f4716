/** Limits of a client of the gRPC port. server/README.md, section gRPC, gives the reasons. */
export interface GrpcLimits {
  /** Connections at a time; more are closed. */
  readonly connections: number;
  /**
   * Calls of one connection at a time. The server announces this number. Excess calls are refused
   * and may be retried.
   */
  readonly callsOfConnection: number;
  /** Calls of all connections at a time; more are refused and may be retried. */
  readonly calls: number;
  /** Calls of Watch at a time. */
  readonly watchers: number;
  /** Bytes of the names and values of a call's metadata. */
  readonly metadataBytes: number;
  /** Bytes of a message of every method but ModelInfer, as sent and inflated. */
  readonly smallMessageBytes: number;
  readonly uploadWindowMs: number;
  /** Bytes that must arrive in each window of an upload. */
  readonly uploadWindowBytes: number;
  /** Longest time for which a client may take nothing of its answer. */
  readonly answerIdleMs: number;
  /** Longest time until the first call of a connection. */
  readonly firstCallMs: number;
  /** Longest time between two calls of a connection. */
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
