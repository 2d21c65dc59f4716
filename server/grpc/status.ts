import type { ServerError } from '../errors.ts';

/** The codes that this server answers: https://github.com/grpc/grpc/blob/master/doc/statuscodes.md */
export const status = {
  OK: 0,
  CANCELLED: 1,
  INVALID_ARGUMENT: 3,
  DEADLINE_EXCEEDED: 4,
  NOT_FOUND: 5,
  PERMISSION_DENIED: 7,
  RESOURCE_EXHAUSTED: 8,
  UNIMPLEMENTED: 12,
  INTERNAL: 13,
  UNAVAILABLE: 14,
  UNAUTHENTICATED: 16,
} as const;

type Status = (typeof status)[keyof typeof status];

/** gRPC's code for an HTTP status, of our own table or of a script: reference/open-inference-protocol.md, section 5. */
export function statusOf(httpStatus: number): Status {
  return codes.get(httpStatus) ?? (httpStatus < 500 ? status.INVALID_ARGUMENT : status.INTERNAL);
}

/** gRPC's code for a failure. */
export function statusOfFailure({ code, failure }: ServerError): Status {
  if (code === 'unsupported_encoding') return status.UNIMPLEMENTED;
  if (code === 'request_timeout') return status.DEADLINE_EXCEEDED;
  return statusOf(failure.status ?? 500);
}

const codes: ReadonlyMap<number, Status> = new Map<number, Status>([
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

/** Longest text of an error, and longest form of it: it travels as a header, and clients take 8 KiB of those. */
const LONGEST_TEXT = 1000;
const LONGEST_FORM = 4000;
/** So much of any text fits: a UTF-16 unit takes nine characters at most. */
const ALWAYS_FITS = 440;

/** The text of an error as the header `grpc-message` has it: printable ASCII, the rest as percent and two digits. */
export function statusText(text: string): string {
  const form = percentEncoded(text.slice(0, LONGEST_TEXT));
  return form.length <= LONGEST_FORM ? form : percentEncoded(text.slice(0, ALWAYS_FITS));
}

function percentEncoded(text: string): string {
  return text.toWellFormed().replaceAll(/[^\x20-\x24\x26-\x7e]+/g, encodeURIComponent);
}
