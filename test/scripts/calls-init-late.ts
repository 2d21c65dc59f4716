import type { InitContext } from 'scoring-server';
// Calls of `init()`'s context during a request.
let context: InitContext;
export function init(given: InitContext) {
  context = given;
}
export const run = ({ call, args }: { call: string; args: never[] }) => {
  const { openModel, modelPath, metrics } = context;
  return ({ openModel, modelPath, ...metrics } as Record<string, (...given: unknown[]) => unknown>)[call]?.(...args);
};
