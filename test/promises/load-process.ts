/** Loads a server in one of several ways, from `start` until `stop`. */
import { answerMessages } from './program.ts';
import { type LoadName, loads } from './loads.ts';

export type LoadMessage = { readonly start: LoadName; readonly port: number } | { readonly stop: true };
/** What happened, and how often. */
export type Counts = Readonly<Record<string, number>>;

const counts: Record<string, number> = {};
let running = true;
let load: Promise<void> = Promise.resolve();

answerMessages(async (message: LoadMessage) => {
  if ('start' in message) {
    const begun = Promise.withResolvers<void>();
    load = loads[message.start]({
      port: message.port,
      running: () => running,
      count: (what) => {
        counts[what] = (counts[what] ?? 0) + 1;
        begun.resolve();
      },
    });
    await begun.promise;
    return {};
  }
  running = false;
  await load;
  return counts;
});
