import { execFile } from 'node:child_process';

/** How a program ended, and what it printed. */
export interface Result {
  /** Exit code; -1 when it could not be started or was ended by a signal. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Longer than any step takes; what hangs must not hang the test. */
const LIMIT_MS = 480_000;

export function run(
  program: string,
  args: readonly string[],
  options: { readonly env?: NodeJS.ProcessEnv; readonly cwd?: string } = {},
): Promise<Result> {
  return new Promise((resolve) => {
    execFile(program, args, { ...options, maxBuffer: 2 ** 28, timeout: LIMIT_MS, killSignal: 'SIGKILL' }, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : typeof error.code === 'number' ? error.code : -1, stdout, stderr }),
    );
  });
}

/** @throws Error with what the program said, when it does not end with 0 */
export async function output(program: string, args: readonly string[], options: { readonly cwd?: string } = {}): Promise<string> {
  const { code, stdout, stderr } = await run(program, args, options);
  if (code !== 0) throw new Error(`${program} ${args.join(' ')} ends with ${code}:\n${stdout}${stderr}`);
  return stdout;
}
