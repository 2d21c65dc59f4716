import { appendFileSync } from 'node:fs';
import { registerHooks, syncBuiltinESMExports } from 'node:module';
import threads, { isMainThread, type WorkerOptions } from 'node:worker_threads';

// A preload of every process of a server, and the first module of its threads, which take no
// preloads. It writes the address of each module of a package that Node loads to the file that
// LOADED_PACKAGES names.
const file = process.env['LOADED_PACKAGES'] ?? '';

registerHooks({
  load(url, context, next) {
    if (url.includes('/node_modules/')) appendFileSync(file, `${url}\n`);
    return next(url, context);
  },
});

if (isMainThread) {
  threads.Worker = class extends threads.Worker {
    constructor(code: string | URL, options: Omit<WorkerOptions, 'env'> & { readonly env: NodeJS.ProcessEnv }) {
      if (typeof code === 'string') super(code, options);
      else super(new URL(import.meta.url), { ...options, env: { ...options.env, THREAD_OF_SERVER: code.href } });
    }
  };
  syncBuiltinESMExports();
} else await import(process.env['THREAD_OF_SERVER'] ?? '');
