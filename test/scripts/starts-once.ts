import { existsSync } from 'node:fs';
// Starts while a file is there, as a database might be.
export function init() {
  if (!existsSync(process.env['DATABASE_FILE'] ?? '')) throw new Error('no database');
}
export function run(data: unknown) {
  if (data === 'exit') process.exit(3);
  return 'fine';
}
