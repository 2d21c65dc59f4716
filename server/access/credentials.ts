import type { IncomingHttpHeaders } from 'node:http';

/**
 * The key or token of a request, from the headers that may carry one.
 * @param login true: it may be the password of Basic, too
 * @returns undefined if there is none; empty, which never counts, if two headers contradict each
 * other
 */
export function credentialOf(headers: IncomingHttpHeaders, login: boolean): string | undefined {
  const { authorization } = headers;
  let credential = bearerOf(authorization) ?? (login ? passwordOf(authorization) : undefined);
  for (const header of [headers['api-key'], headers['x-api-key']]) {
    if (header === undefined || header === '') continue;
    // Node joins a header that is sent twice, which is no key then.
    const given = String(header);
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
    if (!isCredential(name, value)) kept.push(name, value);
  }
  return kept;
}

/** Most names have another length, so that few are copied in lower case. */
function isCredential(name: string, value: string): boolean {
  switch (name.length) {
    case 'api-key'.length:
      return name.toLowerCase() === 'api-key';
    case 'x-api-key'.length:
      return name.toLowerCase() === 'x-api-key';
    case 'authorization'.length:
      return name.toLowerCase() === 'authorization' && bearerOf(value) !== undefined;
    default:
      return false;
  }
}

function bearerOf(authorization: string | undefined): string | undefined {
  return /^bearer[ \t]+(\S.*)$/i.exec(authorization ?? '')?.[1];
}

/** RFC 7617: base64 of `user:password`. The user may be any. */
function passwordOf(authorization: string | undefined): string | undefined {
  const encoded = /^basic[ \t]+([\w+/=-]+)$/i.exec(authorization ?? '')?.[1];
  if (encoded === undefined) return undefined;
  const decoded = Buffer.from(encoded, 'base64').toString();
  const colon = decoded.indexOf(':');
  return colon < 0 || colon === decoded.length - 1 ? undefined : decoded.slice(colon + 1);
}
