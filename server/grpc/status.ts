import type { ServerError } from '../errors.ts';

/** Codes that this server answers: https://github.com/grpc/grpc/blob/master/doc/statuscodes.md */
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

/** The name of a code. */
export function statusName(code: number): string {
  return Object.entries(status).find(([, known]) => known === code)?.[0] ?? String(code);
}

/** gRPC's code for an HTTP status of a failure or of a script: docs/open-inference.md. */
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

/** UTF-16 units of the longest error text. */
const LONGEST_TEXT = 1000;
/**
 * Characters of the longest encoded text. It travels as a header, and clients accept 8 KiB of
 * headers.
 */
const LONGEST_ENCODED = 4000;
/** UTF-16 units that always fit, because each takes nine characters at most. */
const ALWAYS_FITS = 440;

/**
 * The text of an error for the header `grpc-message`: printable ASCII; other bytes become a percent
 * sign and two digits.
 */
export function statusText(text: string): string {
  const encoded = percentEncoded(text.slice(0, LONGEST_TEXT));
  return encoded.length <= LONGEST_ENCODED ? encoded : percentEncoded(text.slice(0, ALWAYS_FITS));
}

function percentEncoded(text: string): string {
  return text.toWellFormed().replaceAll(/[^\x20-\x24\x26-\x7e]+/g, encodeURIComponent);
}
