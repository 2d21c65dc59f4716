import type { Tensor, TensorSpec } from '../entry-script.ts';
import { dtypes } from '../tensors/dtypes.ts';
import { valuesOf } from '../tensors/tensor.ts';
import { merge, split, type Tensors } from './batcher.ts';
import { appliesTo, madeUpRow, MILD, type RowKind, variedRow } from './probe-inputs.ts';

/** A model as the trial runs it. */
export interface TrialModel {
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
  readonly infer: (feeds: Tensors, outputs: readonly string[]) => Promise<Record<string, Tensor>>;
  /**
   * Milliseconds that the trial may take. An inference that has begun is finished. Later batches
   * are left out once one was compared.
   */
  readonly limitMs: number;
  /** Milliseconds; tests bring their own clock. */
  readonly now?: () => number;
}

/** The result of a trial: what a few rows say about all. */
export interface Trial {
  readonly result: 'agrees' | 'differs' | 'inconclusive';
  /** Fixed words, without numbers and texts that change from start to start. */
  readonly reason: string;
}

interface TrialRow {
  readonly feeds: Tensors;
  /**
   * Large numbers round differently in batches of different sizes. Such a row is compared with a
   * batch of its copies before it counts.
   */
  readonly hard: boolean;
  readonly nan: boolean;
}

interface Taken extends TrialRow {
  readonly alone: Tensors;
}

// oxfmt-ignore
const HARD: readonly RowKind[] = [
  { ...MILD, float: 10 }, { ...MILD, float: 100 }, { ...MILD, float: 10_000 },
  { ...MILD, integer: 10 }, { ...MILD, integer: 255 }, { ...MILD, integer: 1000 }, { ...MILD, integer: 30_000 },
  { ...MILD, text: 'empty' }, { ...MILD, text: 'long' },
  { ...MILD, nan: true },
];
const KINDS: readonly RowKind[] = [MILD, { ...MILD, float: 0.001 }, ...HARD];
/** Rows of a sample that are tried as they are. */
const SAMPLE_ROWS = 3;
const EXACT = { relative: 0, absolute: 0 };

/** The time of the trial is over. */
class TrialTooLong extends Error {
  override readonly name = 'TrialTooLong';
}

/**
 * Tries whether rows of a batch influence each other: rows that ran alone must equal the same rows
 * in batches. Small and large numbers, NaN, empty and long texts meet in one batch. A row that the
 * model refuses alone is left out, so that milder rows decide. The plan is the same at each start.
 * A trial whose time is over agrees if its first batch, that of all rows without NaN, did.
 * @param samples inputs of the model while the script ran on its own sample; without them rows are
 * made up
 */
export async function tryRows(model: TrialModel, samples: readonly Tensors[]): Promise<Trial> {
  const { limitMs, now = (): number => performance.now() } = model;
  const until = now() + limitMs;
  const isOver = (): boolean => now() > until;
  const infer: TrialModel['infer'] = (feeds, outputs) => {
    if (isOver()) throw new TrialTooLong();
    return model.infer(feeds, outputs);
  };
  const groups = samples.length === 0 ? [madeUpRows(model)] : samples.map(sampleRows);
  try {
    let last: Trial = inconclusive('there are no rows');
    for (const rows of groups) {
      if (last.result === 'differs' || (last.result === 'agrees' && isOver())) break;
      last = await tryGroup({ ...model, infer, isOver }, rows);
    }
    return samples.length === 0 ? last : { ...last, reason: `${last.reason} (on the script's sample)` };
  } catch (thrown) {
    if (thrown instanceof TrialTooLong) return inconclusive('the trial of rows takes too long');
    throw thrown;
  }
}

const inconclusive = (reason: string): Trial => ({ result: 'inconclusive', reason });
const differs = (reason: string): Trial => ({ result: 'differs', reason });

function madeUpRows({ inputs }: TrialModel): TrialRow[] {
  const types = inputs.map(({ type }) => type);
  const kinds = KINDS.filter((kind) => kind === MILD || appliesTo(kind, types));
  // Two mild rows: a model that refuses all others still has rows to compare.
  return [MILD, ...kinds].flatMap((kind, index) => {
    const feeds = madeUpRow(inputs, kind, index + 1);
    return feeds === undefined ? [] : rowOf(feeds, kind);
  });
}

/** The first rows of a sample, and variations of the very first. */
function sampleRows(sample: Tensors): TrialRow[] {
  const all = Object.values(sample);
  const count = all[0]?.dims[0] ?? 0;
  if (count === 0 || all.some(({ dims }) => dims[0] !== count)) return [];
  const [first, ...others] = split(
    sample,
    Array.from({ length: count }, () => 1),
  );
  if (first === undefined) return [];
  const types = all.map(({ type }) => type);
  const kinds = KINDS.filter((kind) => kind === MILD || appliesTo(kind, types));
  return [
    ...[first, ...others.slice(0, SAMPLE_ROWS - 1)].map((feeds) => rowOf(feeds, MILD)),
    ...kinds.map((kind, index) => rowOf(variedRow(first, kind, index + 1), kind)),
  ];
}

const rowOf = (feeds: Tensors, kind: RowKind): TrialRow => ({ feeds, hard: HARD.includes(kind), nan: kind.nan });

interface TimedModel extends TrialModel {
  /** Whether the time of the trial is over. */
  readonly isOver: () => boolean;
}

async function tryGroup(model: TimedModel, rows: readonly TrialRow[]): Promise<Trial> {
  const names = model.outputs.map(({ name }) => name);
  const taken: Taken[] = [];
  for (const row of rows) {
    const alone = await answerOf(model, row.feeds);
    if (alone === undefined) continue;
    const odd = names.find((name) => alone[name]?.dims[0] !== 1);
    if (odd !== undefined) return differs(`output ${odd} of one row is not one row`);
    taken.push({ ...row, alone });
  }
  if (taken.length < 2) return inconclusive('the model refuses the rows of the trial');
  for (const [index, batch] of batchesOf(taken).entries()) {
    // One batch decides where time is short. Why not none: a busy machine would change the verdict.
    if (index > 0 && model.isOver()) break;
    const difference = await differenceIn(model, batch);
    if (difference !== undefined) return differs(difference);
  }
  const [first] = taken;
  if (names.every((name) => taken.every(({ alone }) => same(alone[name], first?.alone[name]))))
    return inconclusive('the answer does not depend on the rows of the trial');
  return { result: 'agrees', reason: 'rows run alone equal rows run together' };
}

/**
 * Every row that has no NaN, in both orders; small batches of the mildest and the hardest; all
 * rows. Why without NaN first: a comparison with NaN is false, which hides what large numbers do.
 */
function batchesOf(taken: readonly Taken[]): (readonly Taken[])[] {
  const finite = taken.filter(({ nan }) => !nan);
  const [mild, second] = finite;
  const hardest = finite.at(-1);
  const small =
    mild === undefined || second === undefined || hardest === undefined
      ? []
      : [
          [hardest, mild],
          [mild, second, hardest],
        ];
  const all = finite.length < taken.length ? [taken] : [];
  return [finite, finite.toReversed(), ...small, ...all].filter((batch) => batch.length > 1);
}

/** The answer to feeds, or undefined if the model refuses them. */
async function answerOf({ infer, outputs }: TrialModel, feeds: Tensors): Promise<Record<string, Tensor> | undefined> {
  try {
    return await infer(
      feeds,
      outputs.map(({ name }) => name),
    );
  } catch (thrown) {
    if (thrown instanceof TrialTooLong) throw thrown;
    return undefined;
  }
}

/** What is wrong with rows that run together, or undefined if nothing is. */
async function differenceIn(model: TrialModel, batch: readonly Taken[]): Promise<string | undefined> {
  const together = await runTogether(
    model,
    batch.map(({ feeds }) => feeds),
  );
  if (typeof together === 'string') return together;
  for (const [at, { alone, hard, feeds }] of batch.entries()) {
    const odd = differing(together[at], alone);
    if (odd === undefined) continue;
    const difference = `output ${odd} of a row differs in a batch`;
    if (!hard) return difference;
    const copies = await runTogether(
      model,
      batch.map(() => feeds),
    );
    if (typeof copies === 'string' || differing(together[at], copies[at] ?? {}) !== undefined) return difference;
  }
  return undefined;
}

/** The answers to rows that run as one batch, or why they cannot be told apart. */
async function runTogether(model: TrialModel, rows: readonly Tensors[]): Promise<Record<string, Tensor>[] | string> {
  const answer = await answerOf(model, merge(rows));
  if (answer === undefined) return 'the model refuses rows together that it takes alone';
  const odd = Object.keys(answer).find((name) => answer[name]?.dims[0] !== rows.length);
  if (odd !== undefined) return `output ${odd} of a batch has not one row for each row`;
  return split(
    answer,
    rows.map(() => 1),
  );
}

function differing(row: Tensors | undefined, other: Tensors): string | undefined {
  return Object.keys(other).find((name) => !same(row?.[name], other[name]));
}

function same(one: Tensor | undefined, other: Tensor | undefined): boolean {
  if (one === undefined || other === undefined || one.type !== other.type) return false;
  if (one.dims.length !== other.dims.length || one.dims.some((dim, axis) => dim !== other.dims[axis])) return false;
  const left: ArrayLike<unknown> = valuesOf(one);
  const right: ArrayLike<unknown> = valuesOf(other);
  const row = dtypes[one.type];
  const { relative, absolute } = row.kind === 'float' ? row.tolerance : EXACT;
  for (let index = 0; index < left.length; index++) {
    const [a, b] = [left[index], right[index]];
    if (Object.is(a, b) || a === b) continue;
    if (typeof a !== 'number' || typeof b !== 'number' || !(Math.abs(a - b) <= absolute + relative * Math.abs(b))) return false;
  }
  return true;
}
