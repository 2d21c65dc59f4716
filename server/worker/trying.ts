import type { StartMessage } from '../ipc/start-message.ts';
import type { ToHost } from '../ipc/to-host.ts';

/** Runs a model on inputs that nobody sent, while the host knows of it. */
export type Trying = <T>(model: string, run: () => Promise<T>) => Promise<T>;

/**
 * Reports made-up inputs to the host: if they end or hold this process, the next one starts without
 * them (ipc/README.md, `trying`).
 * @param flushed resolves when the kernel has all frames
 */
export function reportedTrying(toHost: ToHost, flushed: () => Promise<void>): Trying {
  return async (model, run) => {
    toHost.trying({ model });
    await flushed();
    try {
      return await run();
    } finally {
      toHost.trying({});
    }
  };
}

/** Why no model may run on made-up inputs; undefined: they may. The same words at each start. */
export function untriedBecause(warmUp: StartMessage['warmUp']): string | undefined {
  switch (warmUp) {
    case 'on':
      return undefined;
    case 'off':
      return 'no trial of rows (WARM_UP=off)';
    case 'failed':
      return 'no trial of rows, because a worker ended on made-up inputs';
    default:
      return warmUp satisfies never;
  }
}
