import type { InitContext, Model } from 'scoring-server';
// The model is opened by the first request.
let open: () => Promise<Model>;
let model: Promise<Model> | undefined;
export function init(context: InitContext) {
  open = () => context.openModel();
}
export const run = async (inputs: Record<string, never>) => (await (model ??= open())).run(inputs);
