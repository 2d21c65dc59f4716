import type { InitContext, Model } from 'scoring-server';
let model: Model;
export async function init(context: InitContext) {
  model = await context.openModel();
}
export const run = async (inputs: Record<string, never>) => model.run(inputs);
