import { readRetryAfter } from '../../request/retry-after.ts';
import type { Block } from '../encode/block.ts';
import type { Stream } from '../encode/layout.ts';
import type { References } from '../encode/place-data.ts';

/** Blocks that are delivered together: where the sink has files, all of one stream; else of one line each. */
export interface Batch {
  readonly stream: Stream | undefined;
  /** The bytes to append, one after the other; none where the sink sends line by line. */
  readonly pieces: readonly Buffer[];
  /** What is not delivered yet: a sink that sends line by line takes out what it has sent. */
  readonly blocks: Block[];
}

/** Where batches go. One at a time. */
export interface Sink extends References {
  readonly name: string;
  /** True where lines are appended to files. */
  readonly appends: boolean;
  /**
   * Delivers a batch. Called again with the same batch after a failure, it delivers nothing twice as far as it can know.
   * @throws SinkError
   */
  write(batch: Batch, signal: AbortSignal): Promise<void>;
  close(): Promise<void>;
}

interface SinkErrorOptions extends ErrorOptions {
  readonly retriable?: boolean;
  readonly retryAfterMs?: number;
  readonly rejected?: readonly Block[];
}

/** Why a batch was not delivered. */
export class SinkError extends Error {
  override readonly name = 'SinkError';
  /** Short, for metrics. */
  readonly code: string;
  /** False: the same batch will never be taken. */
  readonly retriable: boolean;
  /** What the other side asked for; 0: nothing. */
  readonly retryAfterMs: number;
  /** Lines that will never be taken, taken out of the batch; undefined: all of it. */
  readonly rejected: readonly Block[] | undefined;

  constructor(code: string, message: string, options: SinkErrorOptions = {}) {
    const { retriable = true, retryAfterMs = 0, rejected, cause } = options;
    super(message, { cause });
    this.code = code;
    this.retriable = retriable;
    this.retryAfterMs = retryAfterMs;
    this.rejected = rejected;
  }
}

/** What another side may ask for. */
const LONGEST_ASKED_MS = 300_000;

/** What an HTTP status means. An operator can mend 401, 403 and 404 while the server runs: the data waits for that. */
export function statusError(status: number, message: string, retryAfter: string | null | undefined): SinkError {
  const retriable = status >= 500 || [401, 403, 404, 408, 429].includes(status);
  return new SinkError(String(status), message, { retriable, retryAfterMs: Math.min(readRetryAfter(retryAfter) ?? 0, LONGEST_ASKED_MS) });
}
