/** Load generators are processes of their own. They load only this machine. */

import { run } from './children.ts';
import { ADDRESS } from './subject.ts';

/** The request that a load generator repeats, and the number of its connections. */
export interface Shot {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer | string;
  /** For the files that the generator reads. */
  readonly folder: string;
  readonly seconds: number;
  readonly connections: number;
}

/** Runs a load generator; answers what it prints. */
export async function generate(url: string, file: string, args: readonly string[]): Promise<string> {
  if (new URL(url).hostname !== ADDRESS) throw new Error(`the bench loads ${ADDRESS} only, not ${url}`);
  return run(file, args);
}
