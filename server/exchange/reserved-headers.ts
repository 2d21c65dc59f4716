/** Headers that a script cannot set: the server's own, and those of the connection. */
const RESERVED: ReadonlySet<string> = new Set([
  'x-request-id',
  'x-ms-request-id',
  'x-ms-client-request-id',
  'x-ms-server-version',
  'x-ms-run-function-failed',
  'x-ms-run-fn-exec-ms',
  'traceid',
  'connection',
  'keep-alive',
  'transfer-encoding',
  'content-length',
  'trailer',
  'upgrade',
]);

/** @param name in lower case */
export function isReserved(name: string): boolean {
  return RESERVED.has(name);
}
