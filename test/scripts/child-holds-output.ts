import { spawn } from 'node:child_process';
// A child of its own keeps this process's stdout open after it is gone.
export function init() {
  spawn('sleep', ['20'], { stdio: 'inherit', detached: true }).unref();
}
export function run(data: unknown) {
  if (data === 'exit') process.exit(3);
  return process.pid;
}
