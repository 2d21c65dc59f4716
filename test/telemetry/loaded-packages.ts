import { appendFileSync } from 'node:fs';
import { registerHooks } from 'node:module';

// A preload of every process and thread of a server: writes the address of each module that Node
// loads to the file that LOADED_PACKAGES names.
const file = process.env['LOADED_PACKAGES'] ?? '';

registerHooks({
  load(url, context, next) {
    if (url.includes('/node_modules/')) appendFileSync(file, `${url}\n`);
    return next(url, context);
  },
});
