/** Whatever an allow-list says: no keys, tokens or cookies leave the server. */
const NEVER = /auth|cookie|token|secret|passw|credential|signature|session|jwt|api-?key|(?:^|[-_])keys?(?:$|[-_])|subscription-key/i;

/** True for a header, or a parameter of a query, that may be collected. */
export function mayCapture(name: string): boolean {
  return !NEVER.test(name);
}

/** Name, value, name, value, ... of the headers on the list. @param allowed in lower case */
export function capturedHeaders(allowed: readonly string[], rawHeaders: readonly string[]): string[] {
  const captured: string[] = [];
  if (allowed.length === 0) return captured;
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const name = (rawHeaders[at] ?? '').toLowerCase();
    if (allowed.includes(name)) captured.push(name, rawHeaders[at + 1] ?? '');
  }
  return captured;
}
