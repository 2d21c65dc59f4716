/** A media type of `Accept`, with how much the client wants it. */
interface Range {
  readonly type: string;
  readonly quality: number;
}

/**
 * The type that a client wants most: RFC 9110, section 12.5.1. Parameters besides `q` count for
 * nothing.
 * @param offered in the order of the server's own preference
 * @returns undefined if the client accepts none of them
 */
export function preferred<T extends string>(accept: string | undefined, offered: readonly T[]): T | undefined {
  const ranges = (accept ?? '').split(',').flatMap(rangeOf);
  if (ranges.length === 0) return offered[0];
  let best: T | undefined;
  let most = 0;
  for (const type of offered) {
    const quality = qualityOf(type, ranges);
    if (quality > most) [best, most] = [type, quality];
  }
  return best;
}

function rangeOf(text: string): Range[] {
  const [type = '', ...parameters] = text.split(';').map((part) => part.trim().toLowerCase());
  if (type === '') return [];
  const weight = parameters.find((parameter) => /^q\s*=/.test(parameter))?.replace(/^q\s*=\s*/, '') ?? '1';
  const quality = /^(?:0(?:\.\d{0,3})?|1(?:\.0{0,3})?)$/.test(weight) ? Number(weight) : 1;
  return [{ type, quality }];
}

/** The most specific range decides, and of equal ones the best. */
function qualityOf(type: string, ranges: readonly Range[]): number {
  const anyOf = `${type.slice(0, type.indexOf('/'))}/*`;
  for (const name of [type, anyOf, '*/*']) {
    const found = ranges.filter((range) => range.type === name);
    if (found.length > 0) return Math.max(...found.map(({ quality }) => quality));
  }
  return 0;
}
