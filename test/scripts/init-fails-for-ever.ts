import { appendFileSync, existsSync } from 'node:fs';
// Starts once; every later worker dies in init(), and its exit does not end.
export function init() {
  const file = process.env['STARTED_FILE'] ?? '';
  if (!existsSync(file)) return appendFileSync(file, '');
  appendFileSync(file, `${process.pid}\n`);
  process.on('exit', () => {
    for (;;);
  });
  throw new Error('never again');
}
export function run() {
  process.exit(3);
}
