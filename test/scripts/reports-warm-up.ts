import type { InitContext, Model } from 'scoring-server';
// Says when the server has warmed its model up.
export async function init(context: InitContext) {
  const model = (await context.openModel()) as Model & { warmUp(): Promise<void> };
  const warmUp = model.warmUp.bind(model);
  model.warmUp = async () => {
    await warmUp();
    console.log('warmed up');
  };
}
export const run = () => 'unused';
