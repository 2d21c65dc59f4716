/**
 * Names of keys, tokens and cookies. They never leave the server, even if an allow-list names them.
 */
const NEVER = /auth|cookie|token|secret|passw|credential|signature|session|jwt|api-?key|(?:^|[-_])keys?(?:$|[-_])|subscription-key/i;

/** True if a header, or a parameter of a query, may be collected. */
export function mayCapture(name: string): boolean {
  return !NEVER.test(name);
}

/** The headers on the list, as name, value, name, value, ... @param allowed names in lower case */
export function capturedHeaders(allowed: readonly string[], rawHeaders: readonly string[]): string[] {
  const captured: string[] = [];
  if (allowed.length === 0) return captured;
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const name = (rawHeaders[at] ?? '').toLowerCase();
    if (allowed.includes(name)) captured.push(name, rawHeaders[at + 1] ?? '');
  }
  return captured;
}
