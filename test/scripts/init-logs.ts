import type { InitContext } from 'scoring-server';
export function init(context: InitContext) {
  context.log.info('loading', { step: 1 });
}
export const run = () => 'ok';
