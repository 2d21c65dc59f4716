import { type FileHandle, open } from 'node:fs/promises';
import { describeThrown, ServerError } from '../errors.ts';
import { STREAM } from './options.ts';

/** Where the lines go. */
export interface Output {
  /**
   * Writes whole lines, and resolves when they are taken.
   * @throws ServerError batch_failed
   */
  write(lines: readonly Buffer[]): Promise<void>;
  close(): Promise<void>;
}

interface Stdout {
  write(bytes: Buffer, done: (error?: Error | null) => void): unknown;
  on(event: 'error', listener: (error: Error) => void): unknown;
}

/** Opens the output. A file is written anew. @throws ServerError usage */
export async function openOutput(output: string, stdout: Stdout): Promise<Output> {
  if (output === STREAM) return streamOutput(stdout);
  try {
    return fileOutput(output, await open(output, 'w'));
  } catch (thrown) {
    throw new ServerError('usage', `--output: expected a file that can be written, got ${output}: ${describeThrown(thrown)}`, {
      cause: thrown,
    });
  }
}

function streamOutput(stdout: Stdout): Output {
  // Each write has its own error.
  stdout.on('error', () => undefined);
  return {
    write: (lines) =>
      new Promise((resolve, reject) => {
        stdout.write(Buffer.concat(lines), (error) => (error instanceof Error ? reject(failedWrite('stdout', error)) : resolve()));
      }),
    close: () => Promise.resolve(),
  };
}

/** A file that holds whole lines: what a failed write left of one is cut off. */
function fileOutput(path: string, file: FileHandle): Output {
  let whole = 0;
  return {
    write: async (lines) => {
      const bytes = Buffer.concat(lines);
      try {
        for (let from = 0; from < bytes.length;) from += (await file.write(bytes, from)).bytesWritten;
        whole += bytes.length;
      } catch (thrown) {
        // A pipe or a device has no length.
        await file.truncate(whole).catch(() => undefined);
        throw failedWrite(path, thrown);
      }
    },
    close: () => file.close(),
  };
}

const failedWrite = (where: string, thrown: unknown): ServerError =>
  new ServerError('batch_failed', `the output cannot be written to ${where}: ${describeThrown(thrown)}`, { cause: thrown });
