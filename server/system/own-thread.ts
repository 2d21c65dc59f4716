import { Worker, type WorkerOptions } from 'node:worker_threads';

/** Options that load code into every process and thread. */
const PRELOAD = /^(?:-r|--(?:require|import|loader|experimental[-_]loader))(?:=|$)/;

interface ThreadOptions extends Omit<WorkerOptions, 'env' | 'eval' | 'argv' | 'execArgv'> {
  /** Undefined: an empty environment. */
  readonly env?: NodeJS.ProcessEnv;
}

/**
 * Starts a thread that runs this server's code only. Why: what an operator preloads (an agent of a
 * monitoring service, 30 MB and more) is meant for the processes, and may not fit into a thread.
 * The owner has to listen for errors.
 * @param code a file, or JavaScript
 * @throws Error where the system has no thread to give
 */
export function startOwnThread(code: string | URL, { env = {}, ...options }: ThreadOptions): Worker {
  return new Worker(code, {
    ...options,
    eval: typeof code === 'string',
    argv: [],
    env: withoutPreloads(env),
    // Without this, a thread inherits the arguments of its process, preloads included.
    ...(process.execArgv.some((argument) => PRELOAD.test(argument)) && { execArgv: [] }),
  });
}

/** The environment with NODE_OPTIONS that preload nothing. Others stay: certificates, DNS, TLS. */
export function withoutPreloads<Env extends NodeJS.ProcessEnv>(env: Env): NodeJS.ProcessEnv {
  const { NODE_OPTIONS: given, ...rest } = env;
  if (given === undefined) return rest;
  // Words, as Node reads them: parted by spaces, with quotes around what has some.
  const words = given.match(/(?:"(?:\\.|[^"\\])*"?|[^\s"])+/g) ?? [];
  const kept = words.filter((word, index) => !PRELOAD.test(word) && !(isBare(words[index - 1]) && !word.startsWith('-')));
  return kept.length === 0 ? rest : { ...rest, NODE_OPTIONS: kept.join(' ') };
}

/** The next word is what it loads. */
function isBare(word: string | undefined): boolean {
  return word !== undefined && PRELOAD.test(word) && !word.includes('=');
}
