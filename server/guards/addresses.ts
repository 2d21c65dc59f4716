/**
 * An address in a text, with what follows it up to a space: users, passwords and queries may hold
 * brackets and quotes. Those of files, of Node's modules and of bundlers are places of code.
 */
const ADDRESS = /\b(?<!webpack-)(?!file:|node:|data:|webpack)[a-z][a-z\d+.-]{0,30}:\/\/[^\s"`<>]*/gi;
/** Parts of connection strings that are keys. */
const KEYS = /\b(AccountKey|SharedAccessKey|SharedAccessSignature|InstrumentationKey|sig)=[^;&\s"']*/gi;
/** Brackets that close, with those that open. */
const BRACKETS: ReadonlyMap<string, string> = new Map([
  [')', '('],
  [']', '['],
  ['}', '{'],
]);

/** An IPv6 address has brackets in a URL. */
export const hostInUrl = (host: string): string => (host.includes(':') && !host.startsWith('[') ? `[${host}]` : host);

/** The part of an address that logs may show: path, query and user name may hold keys. */
export function originOf(address: string): string {
  const url = URL.parse(address);
  return url === null || url.host === '' ? 'the address' : `${url.protocol}//${url.host}`;
}

/**
 * A text without what its addresses hold beside their origin, and without keys of connection
 * strings. Libraries quote addresses in their errors.
 */
export function withoutKeys(text: string): string {
  return text
    .replaceAll(ADDRESS, (found) => {
      const end = endOf(found);
      return originOf(found.slice(0, end)) + found.slice(end);
    })
    .replaceAll(KEYS, '$1=[redacted]');
}

/** Where an address ends: before punctuation of the text around it. */
function endOf(found: string): number {
  const own = new Set(found);
  let end = found.length;
  for (; end > 0; end--) {
    const last = found.charAt(end - 1);
    const opening = BRACKETS.get(last);
    if (opening === undefined ? !".,;:!?'".includes(last) : own.has(opening)) break;
  }
  return end;
}
