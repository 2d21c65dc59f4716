/** A part of all inputs: those whose index modulo `of` is `index`. */
export interface Shard {
  readonly index: number;
  readonly of: number;
}

export const WHOLE: Shard = { index: 0, of: 1 };

/** Kubernetes gives it to each pod of an Indexed Job. */
const INDEX_VARIABLE = 'JOB_COMPLETION_INDEX';
/** More shards than pods of any Job. */
const MOST_SHARDS = 1_000_000;

/**
 * Reads `i/n` with i from 0, or `auto/n`, where i is the index of the pod in its Job.
 * @throws Error that names the expected form
 */
export function readShard(text: string, env: Readonly<Record<string, string | undefined>>): Shard {
  const [, first = '', second = ''] = /^(auto|\d{1,7})\/(\d{1,7})$/.exec(text.trim()) ?? [];
  const of = Number(second);
  if (first === '' || of < 1 || of > MOST_SHARDS)
    throw new Error(`expected i/n with i from 0 to n-1, such as 0/4, or auto/n, got ${JSON.stringify(text)}`);
  if (first !== 'auto') return checked(Number(first), of, JSON.stringify(text));
  const given = env[INDEX_VARIABLE] ?? '';
  if (!/^\d{1,7}$/.test(given))
    throw new Error(`auto/n needs ${INDEX_VARIABLE}, as an Indexed Job of Kubernetes sets it, got ${JSON.stringify(given)}`);
  return checked(Number(given), of, `${INDEX_VARIABLE}=${given} of ${of}`);
}

function checked(index: number, of: number, shown: string): Shard {
  if (index >= of) throw new Error(`expected an index from 0 to ${of - 1}, got ${shown}: completions of the Job and n must be equal`);
  return { index, of };
}

export const isIn = ({ index, of }: Shard, at: number): boolean => at % of === index;
