import { existsSync, mkdirSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Makes a folder and those above it. @throws what the file system throws */
export function makeFolder(path: string): void {
  try {
    mkdirSync(path, { recursive: true });
  } catch (thrown) {
    tellReason(path);
    throw thrown;
  }
}

/** As `makeFolder`, without waiting for the disk. */
export async function makeFolderLater(path: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true });
  } catch (thrown) {
    tellReason(path);
    throw thrown;
  }
}

/** Node says ENOENT of a read-only file system; one folder at a time it says EROFS. @throws that */
function tellReason(path: string): void {
  let missing = path;
  while (!existsSync(dirname(missing)) && dirname(missing) !== missing) missing = dirname(missing);
  mkdirSync(missing);
}
