/**
 * Milliseconds from now that a header Retry-After asks for, in seconds or as a date. Undefined if
 * it cannot be read.
 */
export function readRetryAfter(header: string | null | undefined): number | undefined {
  if (typeof header !== 'string') return undefined;
  const ms = /^\d+$/.test(header) ? Number(header) * 1000 : Date.parse(header) - Date.now();
  return ms >= 0 ? ms : undefined;
}
