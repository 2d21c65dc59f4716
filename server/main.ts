import { enableCompileCache } from 'node:module';
import { fileURLToPath } from 'node:url';

const { execPath, versions } = process;
const [major = 0, minor = 0] = versions.node.split('.').map(Number);
if (major < 24 || (major === 24 && minor < 12)) {
  process.stderr.write(
    `scoring-server cannot start: expected Node.js 24.12 or later, got ${versions.node} (${execPath}). \`npm start\` brings the right one.\n`,
  );
  process.exit(2);
}

// A report of a crash shows no environment, which holds secrets.
process.report.excludeEnv = true;

// Everything else is loaded from V8's cache, in the workers too. Without it each process strips
// types and compiles at every start: half of a start's CPU time (measured), and 20 MB of memory
// that stays. A folder that cannot be written costs nothing.
const folder = process.env['NODE_COMPILE_CACHE'] ?? fileURLToPath(new URL('../node_modules/.cache/compile', import.meta.url));
if (enableCompileCache(folder).directory !== undefined) process.env['NODE_COMPILE_CACHE'] = folder;

const { main } = await import('./commands/command-line.ts');
await main(process);
