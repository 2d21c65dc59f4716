import assert from 'node:assert/strict';
import { dtypeEntries } from '../../server/tensors/dtypes.ts';
import type { Case, OipTensor, Tolerance } from './fixtures.ts';

/**
 * Compares an Open Inference answer with the outputs of a case: floats within the tolerance, all
 * else exactly.
 * @param text the body as it came: 64-bit integers keep their digits
 */
export function assertAnswer(text: string, { outputs, tolerance }: Case, title: string): void {
  const answer = JSON.parse(text, exactInteger) as { outputs: OipTensor[] };
  for (const expected of outputs) {
    const got = answer.outputs.find(({ name }) => name === expected.name);
    assert.ok(got, `${title}: output ${expected.name} is missing`);
    assert.equal(got.datatype, expected.datatype, title);
    assert.deepEqual(got.shape, expected.shape, title);
    assert.equal(got.data.length, expected.data.length, title);
    const wrong = expected.data.findIndex((value, index) => !matches(got.data[index], value, expected.datatype, tolerance));
    if (wrong >= 0) assert.fail(`${title}: ${expected.name}[${wrong}]: expected ${expected.data[wrong]}, got ${got.data[wrong]}`);
  }
}

function matches(got: unknown, expected: number | string | boolean, datatype: string, { rtol, atol }: Tolerance): boolean {
  const row = dtypeEntries.find(([, each]) => each.datatype === datatype)?.[1];
  if (row?.kind !== 'float') return String(got) === String(expected);
  const [a, b] = [Number(got), Number(expected)];
  return Object.is(a, b) || a === b || Math.abs(a - b) <= atol + rtol * Math.abs(b);
}

/** Whole numbers beyond 2^53 as their decimal digits. */
function exactInteger(_key: string, value: unknown, context?: { source?: string }): unknown {
  return typeof value === 'number' && !Number.isSafeInteger(value) && /^-?\d+$/.test(context?.source ?? '') ? context?.source : value;
}
