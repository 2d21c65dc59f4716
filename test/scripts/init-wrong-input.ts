import type { InitContext } from 'scoring-server';
export async function init({ openModel }: InitContext) {
  await (await openModel()).run({ none: 1 });
}
export function run() {}
