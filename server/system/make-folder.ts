import { mkdirSync, statSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Mode of a folder that other users may not enter: it holds collected data. */
export const OWN_ONLY = 0o700;

// Node's own `recursive: true` never returns if the system answers ENOENT for a folder whose parent
// exists. That happens below /proc, and below a mount whose source was deleted. These functions try
// every folder at most twice.

/**
 * Makes a folder and those above it.
 * @param mode of what is made
 * @throws errors of the file system
 */
export function makeFolder(path: string, mode: number): void {
  const steps = makingOf(path);
  for (let step = steps.next(); step.done !== true;) {
    try {
      mkdirSync(step.value, { mode });
      step = steps.next(undefined);
    } catch (thrown) {
      step = steps.next(thrown);
    }
  }
}

/** As `makeFolder`, but asynchronous, and for other users too. */
export async function makeFolderLater(path: string): Promise<void> {
  const steps = makingOf(path);
  for (let step = steps.next(); step.done !== true;) {
    try {
      await mkdir(step.value);
      step = steps.next(undefined);
    } catch (thrown) {
      step = steps.next(thrown);
    }
  }
}

/**
 * Yields folders to make, one at a time, and gets the error of each.
 * @throws the error after which the folder cannot be made
 */
function* makingOf(path: string): Generator<string, void, unknown> {
  const missing: string[] = [];
  for (let folder = path; ; folder = dirname(folder)) {
    const thrown = yield folder;
    if (thrown === undefined || isThere(folder, thrown)) break;
    if (codeOf(thrown) !== 'ENOENT' || dirname(folder) === folder) throw thrown;
    missing.push(folder);
  }
  for (const folder of missing.toReversed()) {
    const thrown = yield folder;
    if (thrown !== undefined && !isThere(folder, thrown)) throw thrown;
  }
}

/** True where the folder is there: another process may have made it meanwhile. */
function isThere(folder: string, thrown: unknown): boolean {
  return codeOf(thrown) === 'EEXIST' && statSync(folder, { throwIfNoEntry: false })?.isDirectory() === true;
}

const codeOf = (thrown: unknown): unknown => (thrown instanceof Error && 'code' in thrown ? thrown.code : undefined);
