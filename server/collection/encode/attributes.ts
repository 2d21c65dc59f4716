const SAFE = /^[\w./ -]*$/;

/**
 * A JSON string. Ids and paths rarely need escapes, and the test for that is cheaper than
 * `JSON.stringify`.
 */
export const quote = (text: string): string => (SAFE.test(text) ? `"${text}"` : JSON.stringify(text));

const OWN = new Set(
  'specversion id source type datacontenttype time data data_base64 dataref dataomitted correlationid xrequestid contentrange path method statuscode modelversion collectdatatype agent datainblob layout csvname'.split(
    ' ',
  ),
);

/**
 * Headers as attributes, whose names have letters and digits only. A header with the name of a
 * fixed attribute is left out.
 * @param pairs name, value, name, value, ...
 */
export function headerAttributes(pairs: readonly string[]): string {
  if (pairs.length === 0) return '';
  const attributes = new Map<string, string>();
  for (let at = 0; at + 1 < pairs.length; at += 2) {
    const name = (pairs[at] ?? '').toLowerCase().replaceAll(/[^a-z0-9]/g, '');
    if (name !== '' && !OWN.has(name)) attributes.set(name, pairs[at + 1] ?? '');
  }
  return [...attributes].map(([name, value]) => `,"${name}":${quote(value)}`).join('');
}
