/**
 * `Authorization` with a scheme that is none of this server's. Bearer may stand behind another one,
 * because proxies join values.
 */
const OTHER_SCHEME = /^(?!.*\bbearer[ \t])[^\s,]+[ \t]+\S/i;

/**
 * The key or token of a request, from the headers that may carry one.
 * @param rawHeaders name, value, name, value, ... Why not `headers`: Node drops all but the first
 * `Authorization`, and a proxy in front may have checked another one
 * @param login true: it may be the password of Basic, too
 * @returns undefined if there is none; empty, which never counts, if two headers contradict each
 * other
 */
export function credentialOf(rawHeaders: readonly string[], login: boolean): string | undefined {
  let credential: string | undefined;
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const given = credentialIn(rawHeaders[at] ?? '', rawHeaders[at + 1] ?? '', login);
    if (given === undefined || given === '') continue;
    if (credential !== undefined && credential !== given) return '';
    credential = given;
  }
  return credential;
}

/**
 * The headers of a request without its credentials, for scripts and records. `Authorization` stays
 * where it has a scheme that is none of this server's.
 * @param rawHeaders name, value, name, value, ...
 * @returns the same form
 */
export function withoutCredentials(rawHeaders: readonly string[]): string[] {
  const kept: string[] = [];
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const [name = '', value = ''] = [rawHeaders[at], rawHeaders[at + 1]];
    const kind = kindOf(name);
    if (kind === undefined || (kind === 'authorization' && OTHER_SCHEME.test(value))) kept.push(name, value);
  }
  return kept;
}

function credentialIn(name: string, value: string, login: boolean): string | undefined {
  const kind = kindOf(name);
  if (kind !== 'authorization') return kind && value;
  return bearerOf(value) ?? (login ? passwordOf(value) : undefined);
}

/** Most names have another length, so that few are copied in lower case. */
function kindOf(name: string): 'key' | 'authorization' | undefined {
  switch (name.length) {
    case 'api-key'.length:
      return name.toLowerCase() === 'api-key' ? 'key' : undefined;
    case 'x-api-key'.length:
      return name.toLowerCase() === 'x-api-key' ? 'key' : undefined;
    case 'authorization'.length:
      return name.toLowerCase() === 'authorization' ? 'authorization' : undefined;
    default:
      return undefined;
  }
}

function bearerOf(authorization: string): string | undefined {
  return /^bearer[ \t]+(\S.*)$/i.exec(authorization)?.[1];
}

/** RFC 7617: base64 of `user:password`. The user may be any. */
function passwordOf(authorization: string): string | undefined {
  const encoded = /^basic[ \t]+([\w+/=-]+)$/i.exec(authorization)?.[1];
  if (encoded === undefined) return undefined;
  const decoded = Buffer.from(encoded, 'base64').toString();
  const colon = decoded.indexOf(':');
  return colon < 0 || colon === decoded.length - 1 ? undefined : decoded.slice(colon + 1);
}
