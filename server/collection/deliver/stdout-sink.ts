import type { Block } from '../encode/block.ts';
import type { Batch, Sink } from './sink.ts';

/** A block of one line as the line `{"mdc": event}`, which stands among the server's log lines. */
export const printed = ({ data }: Block): string => `{"mdc":${data.toString('utf8', 0, data.length - 1)}}\n`;

/** Prints one line for each record. */
export class StdoutSink implements Sink {
  readonly name = 'stdout';
  readonly appends = false;
  readonly largestInline = 1024 * 1024;
  readonly #print: (text: string) => void;

  constructor(print: (text: string) => void) {
    this.#print = print;
  }

  reference(): undefined {
    return undefined;
  }

  write({ blocks }: Batch): Promise<void> {
    this.#print(blocks.map(printed).join(''));
    blocks.length = 0;
    return Promise.resolve();
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}
