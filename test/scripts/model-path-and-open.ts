import type { InitContext, Model } from 'scoring-server';

let path = '';
let model: Model;

export async function init(context: InitContext): Promise<void> {
  model = await context.openModel();
  path = context.modelPath('ridge');
}

export function run(): object {
  return { path, name: model.name };
}
