import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';
import { readTensor } from './tensor-proto.ts';

export const FOLDER = process.env.SCORING_FIXTURES ?? path.resolve(import.meta.dirname, '../../../shared/fixtures');

/** Why the tests cannot run here; false when they can. Given to `skip`. */
export const missing = existsSync(FOLDER) ? false : `the fixtures are not at ${FOLDER}; SCORING_FIXTURES names another folder`;

/**
 * A tensor as the Open Inference Protocol sends it: special floats and large integers are strings.
 */
export interface OipTensor {
  readonly name: string;
  readonly datatype: string;
  readonly shape: readonly number[];
  readonly data: readonly (number | string | boolean)[];
}

export interface Tolerance {
  readonly rtol: number;
  readonly atol: number;
}

export interface Case {
  readonly tolerance: Tolerance;
  readonly inputs: readonly OipTensor[];
  readonly outputs: readonly OipTensor[];
}

export interface BackendCase extends Case {
  readonly name: string;
  readonly model_b64: string;
}

export interface RealModel {
  readonly name: string;
  readonly file: string;
  readonly folder: string;
}

/** The cases of the official ONNX backend suite. */
export function backendCases(): BackendCase[] {
  const lines = gunzipSync(readFileSync(path.join(FOLDER, 'onnx-backend.jsonl.gz')))
    .toString()
    .trimEnd()
    .split('\n');
  return lines.map((line) => JSON.parse(line) as BackendCase);
}

export function realModels(): RealModel[] {
  return readdirSync(path.join(FOLDER, 'real')).map((name) => {
    const folder = path.join(FOLDER, 'real', name);
    const model = readdirSync(folder).find((entry) => entry.endsWith('.onnx'));
    if (model === undefined) throw new Error(`${folder} holds no .onnx file`);
    return { name, file: path.join(folder, model), folder };
  });
}

/** The cases of a real model: case.json, or the tensors themselves where it would be too large. */
export function casesOf({ folder }: RealModel): Case[] {
  const sets = readdirSync(folder).filter((entry) => entry.startsWith('test_data_set_'));
  return sets.map((set) => {
    const json = path.join(folder, set, 'case.json');
    if (existsSync(json)) return JSON.parse(readFileSync(json, 'utf8')) as Case;
    const tensors = (kind: string): OipTensor[] =>
      readdirSync(path.join(folder, set))
        .filter((entry) => entry.startsWith(kind))
        .map((entry) => readTensor(readFileSync(path.join(folder, set, entry))));
    return { tolerance: { rtol: 1e-3, atol: 1e-5 }, inputs: tensors('input_'), outputs: tensors('output_') };
  });
}

/** Text of a file beside a real model. */
export const readBeside = ({ folder }: RealModel, name: string): string => readFileSync(path.join(folder, name), 'utf8');

/** A model of the folder of reported faults, with the answer in its README. */
export const reportedFile = (...names: string[]): string => path.join(FOLDER, 'reported', ...names);
