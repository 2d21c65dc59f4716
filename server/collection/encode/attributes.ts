const SAFE = /^[\w./ -]*$/;
/** Characters that no attribute may have: https://github.com/cloudevents/spec, "Type System". */
const FORBIDDEN = /[\p{Cc}\p{Cs}\p{Noncharacter_Code_Point}]/gu;

/**
 * A JSON string for the value of an attribute. What an attribute may not have becomes U+FFFD. Ids
 * and paths rarely need escapes, and the test for that is cheaper than `JSON.stringify`.
 */
export const quote = (text: string): string => (SAFE.test(text) ? `"${text}"` : JSON.stringify(text.replaceAll(FORBIDDEN, '\ufffd')));

const OWN = new Set(
  'specversion id source type datacontenttype dataschema subject time data data_base64 dataref dataomitted datapartial correlationid xrequestid contentrange path method statuscode modelversion collectdatatype agent datainblob layout csvname headernames'.split(
    ' ',
  ),
);

/** Most characters that a name should have, by the same specification. */
const LONGEST_NAME = 20;

/**
 * Headers as attributes, whose names have letters and digits only. A header with the name of a
 * fixed attribute is left out.
 * @param pairs name, value, name, value, ...
 * @param named true: the attribute `headernames` lists the names as they were
 */
export function headerAttributes(pairs: readonly string[], named: boolean): string {
  if (pairs.length === 0) return '';
  const headers = new Map<string, string>();
  for (let at = 0; at + 1 < pairs.length; at += 2) {
    const name = (pairs[at] ?? '').toLowerCase();
    const before = headers.get(name);
    // Several headers of one name are one list: RFC 9110, section 5.3.
    headers.set(name, before === undefined ? (pairs[at + 1] ?? '') : `${before}, ${pairs[at + 1]}`);
  }
  const names = attributeNames(headers.keys());
  if (names.size === 0) return '';
  const attributes = Array.from(names, ([attribute, name]) => `,"${attribute}":${quote(headers.get(name) ?? '')}`);
  if (named) attributes.push(`,"headernames":${quote([...names.values()].join(' '))}`);
  return attributes.join('');
}

/**
 * Names of attributes, each with the header that it stands for.
 * @param headers in lower case
 */
export function attributeNames(headers: Iterable<string>): ReadonlyMap<string, string> {
  const names = new Map<string, string>();
  for (const header of headers) {
    const letters = header.replaceAll(/[^a-z0-9]/g, '');
    if (letters === '' || OWN.has(letters)) continue;
    let name = letters.slice(0, LONGEST_NAME);
    for (let nth = 2; names.has(name) || OWN.has(name); nth++) name = `${letters.slice(0, LONGEST_NAME - String(nth).length)}${nth}`;
    names.set(name, header);
  }
  return names;
}
