const trap = (): never => {
  throw new Error('a trap');
};
const traps = new Proxy({}, Object.fromEntries(Object.getOwnPropertyNames(Reflect).map((name) => [name, trap])));
const revoked = Proxy.revocable({}, {});
revoked.revoke();
const cyclic = new Error('cyclic');
cyclic.cause = cyclic;
const withMember = (name: string, value: unknown): Error => Object.defineProperty(new Error('odd'), name, { value });
const withGetter = (name: string): Error => Object.defineProperty(new Error('odd'), name, { get: trap });

export const values: Record<string, () => unknown> = {
  'a proxy whose traps throw': () => new Proxy({}, traps),
  'a proxy of an error whose traps throw': () => new Proxy(new Error('x'), traps),
  'a revoked proxy': () => revoked.proxy,
  'a getter as stack': () => withGetter('stack'),
  'a getter as message': () => withGetter('message'),
  'a getter as name': () => withGetter('name'),
  'a symbol as message': () => withMember('message', Symbol('m')),
  'a bigint as stack': () => withMember('stack', 1n),
  'a list as stack': () => withMember('stack', [{}, {}]),
  'an object without a prototype': () => Object.create(null) as unknown,
  'a getter as tag': () => Object.defineProperty({}, Symbol.toStringTag, { get: trap }),
  'a tag of a Response': () => ({ [Symbol.toStringTag]: 'Response' }),
  'a cyclic cause': () => cyclic,
  'a huge message': () => new Error('long '.repeat(10_000_000)),
  'a huge object': () => ({ list: Array.from({ length: 1_000_000 }, () => 'item') }),
  'a symbol': () => Symbol('thrown'),
  'a bigint': () => 10n,
  nothing: () => undefined,
  'a function': () => trap,
};
const { place, kind = '' } = { place: process.env['THROWS_AT'], kind: process.env['THROWS'] };
const throwIt = (name: string): never => {
  throw values[name]?.();
};
if (place === 'import') throwIt(kind);
export function init() {
  if (place === 'init') throwIt(kind);
}
export const sample = place === 'sample' ? 'sample' : undefined;
export async function run(how: { readonly at: string; readonly kind: string } | string): Promise<unknown> {
  if (typeof how === 'string') return how === 'sample' ? throwIt(kind) : how;
  if (how.at === 'iterator')
    return {
      [Symbol.asyncIterator]: () => ({ next: () => Promise.reject(values[how.kind]?.()) }),
    };
  if (how.at === 'rejection') {
    void Promise.reject(values[how.kind]?.());
    return 'rejected';
  }
  if (how.at === 'timer') {
    setTimeout(() => throwIt(how.kind));
    return new Promise(() => undefined);
  }
  if (how.at === 'result') return values[how.kind]?.();
  await null;
  return throwIt(how.kind);
}
