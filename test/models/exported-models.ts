import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { TensorSpec } from '../../server/entry-script.ts';
import type { Tensors } from '../../server/inference/batcher.ts';
import { dtypes } from '../../server/tensors/dtypes.ts';
import { elementTypes } from '../../server/tensors/elements.ts';
import { sizeOf } from '../../server/tensors/tensor-shape.ts';
import { dataOf } from '../../server/tensors/tensor.ts';
import { randomNumbers } from './graph-builder.ts';

const FOLDER = fileURLToPath(new URL('exports/', import.meta.url));

/** What the inputs of a model take, as exports/README.md explains. */
export interface InputHints {
  readonly integers?: Readonly<Record<string, number>>;
  readonly dims?: Readonly<Record<string, number>>;
  readonly words?: Readonly<Record<string, readonly string[]>>;
  readonly holes?: true;
}

/** A model as the usual tools write it: a row of exports/exports.json. */
export interface ExportedModel extends InputHints {
  /** Path from the folder of exports. */
  readonly name: string;
  readonly file: string;
  readonly rowWise: boolean | 'fixed first dimension';
}

export const exportedFile = (name: string): string => FOLDER + name;

export const exportedModels = (): ExportedModel[] =>
  (JSON.parse(readFileSync(`${FOLDER}exports.json`, 'utf8')) as (Omit<ExportedModel, 'name'> & { file: string })[]).map((row) => ({
    ...row,
    name: row.file,
    file: exportedFile(row.file),
  }));

const OPEN_SIZE = 5;
const WORDS = ['a', 'b', '', 'other'];

type Random = () => number;

/** One row of random inputs within the domain of the model. The same seed gives the same row. */
export function randomRow(inputs: readonly TensorSpec[], hints: InputHints, seed: number, scale: number): Tensors {
  const random = randomNumbers(seed);
  return Object.fromEntries(
    inputs.map((spec) => {
      const dims = spec.dims.map((dim, axis) => (typeof dim === 'number' ? dim : axis === 0 ? 1 : (hints.dims?.[dim] ?? OPEN_SIZE)));
      const values = Array.from({ length: sizeOf(dims) }, (_, at) => elementOf(spec, hints, at, random, scale));
      if (hints.holes === true && typeof values[0] === 'number') values[Math.floor(random() * values.length)] = Number.NaN;
      const data = elementTypes[spec.type].allocate(values.length);
      const sent = values.map((value) => (Number.isNaN(value) ? 'NaN' : value));
      const wrong = elementTypes[spec.type].write(data, 0, sent);
      if (wrong >= 0) throw new Error(`expected ${elementTypes[spec.type].expected} for ${spec.name}, got ${String(values[wrong])}`);
      return [spec.name, { type: spec.type, dims, data: dataOf(data) }];
    }),
  );
}

function elementOf(
  { name, type }: TensorSpec,
  { integers, words }: InputHints,
  at: number,
  random: Random,
  scale: number,
): number | string | boolean {
  const { kind } = dtypes[type];
  switch (kind) {
    case 'string': {
      const known = words?.[name] ?? WORDS;
      return known[Math.floor(random() * known.length)] ?? '';
    }
    case 'boolean':
      // A mask that hides everything gives NaN.
      return at === 0 || random() < 0.7;
    case 'float':
      return normal(random) * scale;
    case 'integer':
    case 'bigint':
      return Math.floor(random() * ((integers?.[name] ?? 1) + 1));
    default:
      return kind satisfies never;
  }
}

const normal = (random: Random): number => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
