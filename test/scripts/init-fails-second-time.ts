import { appendFileSync, existsSync } from 'node:fs';
// Starts once; every later worker dies in init().
export function init() {
  const file = process.env['STARTED_FILE'] ?? '';
  if (existsSync(file)) throw new Error('only once');
  appendFileSync(file, 'x');
}
export function run() {
  process.exit(3);
}
