import type { InitContext } from 'scoring-server';
let paths: string[];
export function init(context: InitContext) {
  paths = [context.modelPath('iris'), context.modelPath('iris', 2)];
}
export const run = () => paths;
