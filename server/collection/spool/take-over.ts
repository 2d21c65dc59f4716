import { readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Segment } from './segment.ts';
import { isAbandoned, own } from './spool-owner.ts';

/** A folder that is this process's from now on. */
interface Taken {
  readonly folder: string;
  /** Oldest first, counted. */
  readonly segments: readonly Segment[];
}

/**
 * Takes over folders of processes that are gone. The rename decides which of several processes gets
 * a folder.
 * @param mine this process's own folder
 * @param nextName answers a name that nobody has
 * @param failed gets the error of a folder that cannot be read: it waits for a later process
 * @throws errors of the file system where the root cannot be read
 */
export function* takeOver(root: string, mine: string, nextName: () => string, failed: (thrown: unknown) => void): Generator<Taken> {
  for (const name of readdirSync(root)) {
    const theirs = join(root, name);
    if (theirs === mine || !isAbandoned(theirs)) continue;
    const folder = join(root, nextName());
    try {
      renameSync(theirs, folder);
      own(folder, process.pid);
    } catch {
      continue;
    }
    try {
      const files = readdirSync(folder).filter((file) => file.endsWith('.jsonl'));
      const segments = files.toSorted().map((file) => new Segment(join(folder, file)));
      for (const segment of segments) segment.count();
      if (segments.length === 0) rmSync(folder, { recursive: true, force: true });
      else yield { folder, segments };
    } catch (thrown) {
      failed(thrown);
    }
  }
}
