import { fileURLToPath } from 'node:url';

const WORKER_MAIN = fileURLToPath(new URL('../worker/main.ts', import.meta.url));

interface NodeSettings {
  /** Port of Node's inspector, or 0. */
  readonly debugPort: number;
  /** Limit of V8's heap in megabytes; undefined: V8's own. */
  readonly heapMb?: number | undefined;
  /** More flags of Node. */
  readonly flags?: readonly string[] | undefined;
}

/** Program and arguments of a worker that runs a script in JavaScript, or a model without code. */
export function nodeCommand({ debugPort, heapMb, flags = [] }: NodeSettings): [string, ...string[]] {
  const inspect = debugPort === 0 ? [] : [`--inspect=127.0.0.1:${debugPort}`];
  const heap = heapMb === undefined ? [] : [`--max-old-space-size=${heapMb}`];
  return [process.execPath, '--disable-sigusr1', ...inspect, ...heap, ...flags, WORKER_MAIN];
}
