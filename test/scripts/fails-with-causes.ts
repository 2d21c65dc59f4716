import { type InitContext, ScoringError } from 'scoring-server';

const { FAILS_AT: place, CLOSED: port } = process.env;
/** What an author writes: nothing listens on that port. */
const call = (): Promise<unknown> => fetch(`http://127.0.0.1:${port}/secret-path`);
const wrapped = async (): Promise<unknown> => {
  try {
    return await call();
  } catch (cause) {
    throw new AggregateError([cause, Object.assign(new RangeError('the second of two'), { status: 418 })], 'both failed');
  }
};

if (place === 'import') await call();

let log: InitContext['log'];

export async function init(context: InitContext) {
  log = context.log;
  if (place === 'init') await call();
}

export const sample = place === 'sample' ? 'run' : undefined;

const ways: Record<string, () => unknown> = {
  run: call,
  several: wrapped,
  rejection: () => {
    void call();
    return 'rejected';
  },
  timer: () => {
    setTimeout(async () => {
      const cause = await call().catch((error: unknown) => error);
      process.nextTick(() => {
        throw new Error('in a timer', { cause });
      });
    });
    return new Promise(() => undefined);
  },
  'before a stream': async function* () {
    await call();
    yield 'never';
  },
  'within a stream': async function* () {
    yield 'first';
    await call();
  },
  'scoring error': async () => {
    const cause = await call().catch((error: unknown) => error);
    throw new ScoringError(502, 'the other service failed', { cause });
  },
  'scoring error without a cause': () => {
    throw new ScoringError(422, 'too old');
  },
  'thrown Response': () => {
    throw new Response('no', { status: 403 });
  },
  'error as fields': async () => log.error('as fields', (await call().catch((error: unknown) => error)) as never),
  'odd fields': async () =>
    log.info('odd fields', {
      err: await call().catch((error: unknown) => error),
      map: new Map([['a', { b: 1 }]]),
      set: new Set([1, 'x']),
      big: 12345678901234567890n,
      nan: Number.NaN,
      pattern: /x+/g,
      bytes: Uint8Array.of(1, 2),
      buffer: Buffer.from([3]),
      headers: new Headers({ accept: 'x' }),
      deep: [{ map: new Map([[1, 2]]) }],
      date: new Date(0),
      plain: { list: [1, 'two', null, true] },
    }),
};

export const run = (way: string): unknown => ways[way]?.();
