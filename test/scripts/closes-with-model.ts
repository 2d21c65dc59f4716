import type { InitContext, Model } from 'scoring-server';

let model: Model;

export async function init(context: InitContext) {
  model = await context.openModel();
}

export const run = () => 1;

export async function close() {
  const { variable } = await model.run({ X: [[1, 2, 3, 4, 5, 6, 7, 8, 9, 10]] });
  console.log('closed with %d', variable?.data.length);
}
