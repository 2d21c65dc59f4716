/**
 * Status and headers that HTTP can carry (RFC 9110, section 5): checked where a script answers, and
 * where its worker's frame arrives.
 */

const NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const NOT_IN_VALUES = /[^\t\x20-\x7e\x80-\xff]/;
/** Characters of all names and values. Why: Node, proxies and browsers take 8 to 256 KiB. */
const MOST_CHARACTERS = 64 * 1024;

export type HeaderPairs = readonly (readonly [string, string])[];

/**
 * Names the first header that is wrong, and why; undefined if all are right. A script may pass
 * values of other types.
 */
export function wrongHeaders(headers: HeaderPairs): string | undefined {
  let characters = 0;
  for (const [name, value] of headers) {
    if (typeof name !== 'string' || typeof value !== 'string')
      return `a header of types ${typeof name} and ${typeof value}: expected texts`;
    characters += name.length + value.length;
    if (characters > MOST_CHARACTERS) return `headers of more than ${MOST_CHARACTERS} characters`;
    if (!NAME.test(name)) return `a header named ${JSON.stringify(name.slice(0, 100))}: expected letters, digits and !#$%&'*+.^_\`|~-`;
    const odd = NOT_IN_VALUES.exec(value);
    if (odd !== null)
      return `the header ${name.slice(0, 100)} with the character U+${odd[0].charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')} at position ${odd.index}`;
  }
  return undefined;
}

/** True for a final status. @param status of any type */
export function isStatus(status: unknown): boolean {
  return typeof status === 'number' && Number.isInteger(status) && status >= 200 && status <= 599;
}
