import type { InitContext, Model } from 'scoring-server';
// The model is opened by the first run(), which is that of the sample.
let open: () => Promise<Model>;
let model: Promise<Model> | undefined;
export const sample = {
  x: [
    [1, 2, 3, 4],
    [50, 60, 70, 80],
  ],
};
export function init(context: InitContext) {
  open = () => context.openModel();
}
export const run = async (inputs: typeof sample) => (await (model ??= open())).run(inputs);
