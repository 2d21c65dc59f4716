import { status } from '@grpc/grpc-js';

/** gRPC's code for an HTTP status, of our own table or of a script: reference/open-inference-protocol.md, section 5. */
export function statusOf(httpStatus: number): status {
  return codes.get(httpStatus) ?? (httpStatus < 500 ? status.INVALID_ARGUMENT : status.INTERNAL);
}

const codes: ReadonlyMap<number, status> = new Map([
  [401, status.UNAUTHENTICATED],
  [403, status.PERMISSION_DENIED],
  [404, status.NOT_FOUND],
  [413, status.RESOURCE_EXHAUSTED],
  [429, status.RESOURCE_EXHAUSTED],
  [499, status.CANCELLED],
  [501, status.UNIMPLEMENTED],
  [503, status.UNAVAILABLE],
  [504, status.DEADLINE_EXCEEDED],
]);
