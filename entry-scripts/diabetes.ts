import type { InitContext, Model } from 'scoring-server';

/**
 * JSON whatever the content type, so that an error names the place of a typing error in `curl -d`.
 */
export const inputType = 'json';

/** Input of the runs that warm up the server before it is ready. */
export const sample = { data: [[1, 2, 3, 4, 5, 6, 7, 8, 9, 10]] };

let model: Model;

/** Runs once in each worker, before the server is ready. */
export async function init(context: InitContext): Promise<void> {
  model = await context.openModel('./diabetes.onnx');
}

/** Runs for every request: {"data": [[1,2,3,4,5,6,7,8,9,10]]} gives [11633.100167144928]. */
export async function run({ data }: { data: number[][] }): Promise<unknown> {
  const { variable } = await model.run({ X: data });
  return variable?.data;
}
