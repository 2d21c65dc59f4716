import type { InitContext, Model } from 'scoring-server';
import { ScoringError } from 'scoring-server';
import { z } from 'zod';

const Patients = z.object({ data: z.array(z.array(z.number()).length(10)).min(1) });

/** Warm-up data: each worker runs it before the server is ready. */
export const sample = { data: [[1, 2, 3, 4, 5, 6, 7, 8, 9, 10]] };

let model: Model;

export async function init(context: InitContext): Promise<void> {
  model = await context.openModel('model.onnx');
}

/**
 * Answers {"data": [[...10 numbers]]} with {"progression": [one number a row]}, and other bodies
 * with 422 and the reason.
 */
export async function run(body: unknown): Promise<{ progression: number[] }> {
  const { success, data: patients, error } = Patients.safeParse(body);
  if (!success) {
    const [first] = error.issues;
    throw new ScoringError(422, `${first?.path.join('.')}: ${first?.message}`);
  }
  const { variable } = await model.run({ X: patients.data });
  return { progression: Array.from(variable?.data ?? [], (value) => Math.round(Number(value) * 10) / 10) };
}
