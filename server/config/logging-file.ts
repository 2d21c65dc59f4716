import { dirname, join } from 'node:path';
import { isFile } from '../system/folders.ts';
import type { Config } from './config.ts';
import type { Found } from './discovery.ts';

/**
 * The configuration of Python's logging, where Azure's server looks for it: in the application's
 * folder, else beside the entry script. Undefined: there is none.
 */
export function loggingFile({ appRoot }: Pick<Config, 'appRoot'>, { entryScript }: Pick<Found, 'entryScript'>): string | undefined {
  return [appRoot, dirname(entryScript)].map((folder) => join(folder, 'logging.json')).find(isFile);
}
