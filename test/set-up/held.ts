import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { folder } from './folder.ts';
import { until } from './until.ts';

/** A request to test/scripts/held.ts that runs until a test releases it. */
export interface Held {
  /** What to send. */
  readonly data: string;
  /** Resolves when run() has begun. */
  readonly running: () => Promise<void>;
  /** Lets run() return. */
  readonly release: () => void;
}

export function held(): Held {
  const data = folder();
  return {
    data,
    running: () => until(() => existsSync(join(data, 'running'))),
    release: () => writeFileSync(join(data, 'released'), ''),
  };
}
