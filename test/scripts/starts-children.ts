import { spawn } from 'node:child_process';
// A child that would outlive everything, another one of its own, and ways to end beside it.
const child = spawn('sh', ['-c', 'sleep 1000 & echo $!; wait'], { stdio: ['ignore', 'pipe', 'inherit'] });
const grandchild = new Promise<number>((resolve) => child.stdout.once('data', (chunk: Buffer) => resolve(Number(chunk.toString()))));
export function init() {}
export async function run(data: unknown) {
  if (data === 'exit') process.exit(3);
  if (data === 'spin') for (;;);
  return [process.pid, child.pid, await grandchild];
}
