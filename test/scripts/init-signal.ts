import type { InitContext } from 'scoring-server';
export const init = (context: InitContext) =>
  new Promise<void>((_resolve, reject) => {
    context.signal.addEventListener('abort', () => reject(new Error('told in time')));
  });
export const run = () => 1;
