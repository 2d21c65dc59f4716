import { withoutKeys } from '../../guards/addresses.ts';
import { readRetryAfter } from '../../delivery/retry-delay.ts';
import type { Block } from '../encode/block.ts';
import type { Stream } from '../encode/layout.ts';
import type { References } from '../encode/place-data.ts';

/**
 * Blocks that are delivered together: all of one stream where the sink has files, else one line
 * each.
 */
export interface Batch {
  readonly stream: Stream | undefined;
  /** Bytes to append, in this order; none where the sink sends line by line. */
  readonly pieces: Buffer[];
  /** Undelivered blocks. A sink that sends line by line removes each line that it has sent. */
  readonly blocks: Block[];
}

/** Where batches go. The writer calls it for one batch at a time. */
export interface Sink extends References {
  readonly name: string;
  /** True where lines are appended to files. */
  readonly appends: boolean;
  /**
   * Delivers a batch. A second call with the same batch, after a failure, delivers nothing twice as
   * far as the sink can know.
   * @throws SinkError
   */
  write(batch: Batch, signal: AbortSignal): Promise<void>;
  close(): Promise<void>;
}

interface SinkErrorOptions extends ErrorOptions {
  readonly retriable?: boolean;
  readonly askedMs?: number | undefined;
  readonly rejected?: readonly Block[];
  readonly apart?: Block;
}

/** Why a batch was not delivered. */
export class SinkError extends Error {
  override readonly name = 'SinkError';
  /** Short, for metrics. */
  readonly code: string;
  /** False: the sink will never take the same batch. */
  readonly retriable: boolean;
  /** Wait that the other side asked for; undefined: none. */
  readonly askedMs: number | undefined;
  /** Lines that the sink will never take, removed from the batch; undefined: the whole batch. */
  readonly rejected: readonly Block[] | undefined;
  /**
   * The block whose payload finds no room now, while others may. Nothing of the batch is appended.
   */
  readonly apart: Block | undefined;

  constructor(code: string, message: string, options: SinkErrorOptions = {}) {
    const { retriable = true, askedMs, rejected, apart, cause } = options;
    // Libraries quote whole addresses in their errors.
    super(withoutKeys(message), { cause });
    this.code = code;
    this.retriable = retriable;
    this.askedMs = askedMs;
    this.rejected = rejected;
    this.apart = apart;
  }
}

/** Longest call to a service; milliseconds. */
export const CALL_TIMEOUT_MS = 30_000;

/** A signal that also fires when a call takes too long. */
export const limited = (signal: AbortSignal): AbortSignal => AbortSignal.any([signal, AbortSignal.timeout(CALL_TIMEOUT_MS)]);

/**
 * Whether data waits after an HTTP status. It does after a redirect, 401, 403, 404 and a proxy's
 * 407, because an operator can mend those while the server runs.
 */
export const isPassing = (status: number): boolean => status < 400 || status >= 500 || [401, 403, 404, 407, 408, 429].includes(status);

export function statusError(status: number, message: string, retryAfter: string | null | undefined): SinkError {
  return new SinkError(String(status), message, { retriable: isPassing(status), askedMs: readRetryAfter(retryAfter) });
}
