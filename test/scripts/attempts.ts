import { spawnSync } from 'node:child_process';
import { readFileSync, readdirSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { Worker } from 'node:worker_threads';

/** What a script may try; each answers a text. */
const ways: Record<string, (target: string) => string | Promise<string>> = {
  read: (path) => readFileSync(path, 'latin1'),
  list: (path) => readdirSync(path).join(),
  write: (path) => {
    writeFileSync(path, 'written');
    rmSync(path);
    return 'written';
  },
  run: (command) => {
    const [file = '', ...args] = command.split(' ');
    const { error, stdout } = spawnSync(file, args, { encoding: 'utf8' });
    if (error !== undefined) throw error;
    return stdout;
  },
  signal: (pid) => String(process.kill(Number(pid), 0)),
  variable: (name) => process.env[name] ?? 'absent',
  names: () => Object.keys(process.env).join(),
  descriptors: () =>
    readdirSync('/proc/self/fd')
      .filter((fd) => Number(fd) > 4)
      .map((fd) => {
        try {
          return readlinkSync(`/proc/self/fd/${fd}`);
        } catch {
          return 'closed';
        }
      })
      .join(),
  user: () => [process.getuid?.(), process.getgid?.(), ...(process.getgroups?.() ?? [])].join(),
  thread: (path) =>
    new Promise((resolve, reject) => {
      const code = `require('node:worker_threads').parentPort.postMessage(require('node:fs').readFileSync(${JSON.stringify(path)}, 'latin1'))`;
      new Worker(code, { eval: true }).once('message', resolve).once('error', reject);
    }),
};

type Attempt = readonly [way: string, target: string];

export function init() {}

/** The text of each attempt, or the code of its error. An attempt alone throws. */
export async function run(attempts: readonly Attempt[] | Attempt): Promise<unknown> {
  const attempt = async ([way, target]: Attempt): Promise<string> => (await ways[way]?.(target)) ?? 'no such way';
  if (typeof attempts[0] === 'string') return attempt(attempts as Attempt);
  return Promise.all(
    (attempts as readonly Attempt[]).map((each) => attempt(each).catch((error: { code?: unknown }) => String(error.code))),
  );
}
