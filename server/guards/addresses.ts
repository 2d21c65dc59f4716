/** An address in a text. Those of files and of Node's modules are places of code. */
const ADDRESS = /\b(?!file:|node:|data:)[a-z][a-z\d+.-]{0,30}:\/\/[^\s"'`<>()[\]{}]*(?:\[[\da-f:.]{1,45}\][^\s"'`<>()[\]{}]*)?/gi;
/** Parts of connection strings that are keys. */
const KEYS = /\b(AccountKey|SharedAccessKey|SharedAccessSignature|InstrumentationKey|sig)=[^;&\s"']*/gi;

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
  return text.replaceAll(ADDRESS, shown).replaceAll(KEYS, '$1=[redacted]');
}

/** Punctuation at the end is that of the sentence. */
function shown(match: string): string {
  let end = match.length;
  while ('.,:;!?'.includes(match.charAt(end - 1))) end--;
  return originOf(match.slice(0, end)) + match.slice(end);
}
