import { spawn } from 'node:child_process';
import { once } from 'node:events';

const MB = 1024 * 1024;
/** Runs in a child that shares this process's stdout and stderr. */
const shell = (command: string) => once(spawn('sh', ['-c', command], { stdio: ['ignore', 'inherit', 'inherit'] }), 'exit');

const floods: Record<string, (count: number) => unknown> = {
  // Bytes without a line end, past the console.
  stdout: async (mb) => {
    for (let left = mb; left > 0; left--) if (!process.stdout.write('x'.repeat(MB))) await once(process.stdout, 'drain');
  },
  child: (mb) => shell(`head -c ${mb * MB} /dev/zero >&2`),
  childLines: (lines) => shell(`yes flood | head -n ${lines}; echo the last line`),
  console: (lines) => {
    for (let left = lines; left > 0; left--) console.log('flood', left, 'x'.repeat(150));
  },
  line: (mb) => console.log('x'.repeat(mb * MB)),
  fields: (mb) => logger?.warn('large fields', { large: 'x'.repeat(mb * MB) }),
  none: () => undefined,
};

let logger: { warn(message: string, fields: Record<string, unknown>): void } | undefined;

export function init(context: { log: NonNullable<typeof logger> }) {
  logger = context.log;
}

export async function run([how, count]: [string, number]) {
  await floods[how]!(count);
  return how;
}
