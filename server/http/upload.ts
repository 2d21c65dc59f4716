import type { IncomingMessage } from 'node:http';
import { ServerError } from '../errors.ts';
import { Admission } from '../exchange/admission.ts';
import type { Scorer } from '../scoring/scorer-types.ts';
import { Pieces, SMALL } from './pieces.ts';

const WINDOW_MS = 20_000;
/** Bytes that must arrive in each window of an upload. */
const LEAST_BYTES = 20 * 1024;

const TOO_SLOW = `The request body arrives too slowly: expected at least ${LEAST_BYTES / 1024} KiB in ${WINDOW_MS / 1000} s`;

/**
 * A body that is read: its pieces, its bytes at the scorer, and its rate. Nothing is reserved for
 * bytes that are only declared.
 */
export class Upload extends Admission {
  readonly pieces = new Pieces();
  readonly #declared: number;
  #rate: UploadRate | undefined;

  /** @param declared bytes that the body will have, as far as they are known */
  constructor(scorer: Scorer, declared: number) {
    super(scorer);
    this.#declared = declared;
  }

  /**
   * Reserves the bytes of the pieces.
   * @param waiting bytes that are held beside the pieces
   * @throws ServerError queue_full
   */
  cover(request: IncomingMessage, waiting = 0): void {
    const held = this.pieces.held + waiting;
    if (!this.open || held <= this.reserved) return;
    const large = held > SMALL || this.#declared > SMALL;
    this.grow(held - this.reserved, large ? 'large' : request.complete ? 'whole' : 'small');
  }

  /** Limits how slowly the rest of the body may arrive. @param failed called at most once */
  watchRate(request: IncomingMessage, failed: (error: ServerError) => void): void {
    // A body that came with its head needs no timer; most bodies do.
    if (request.complete || request.destroyed || !this.open) return;
    this.#rate = new UploadRate(request, () => failed(new ServerError('request_timeout', TOO_SLOW)));
  }

  override cancel(): void {
    if (!this.open) return;
    this.#rate?.stop();
    this.pieces.clear();
    super.cancel();
  }

  override handOver(bodyBytes: number): void {
    this.#rate?.stop();
    super.handOver(bodyBytes);
  }
}

/**
 * Watches the rate of an upload, because a client that sends nothing or drips must not hold bytes
 * of the queue for ever.
 */
class UploadRate {
  readonly #request: IncomingMessage;
  readonly #timer: NodeJS.Timeout;
  #seen: number;

  /** @param tooSlow called at most once */
  constructor(request: IncomingMessage, tooSlow: () => void) {
    this.#request = request;
    this.#seen = request.socket.bytesRead;
    this.#timer = setInterval(() => this.#check(tooSlow), WINDOW_MS).unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /**
   * Counts bytes on the wire, because inflated bytes and the framing of chunks do not show the
   * client's rate.
   */
  #check(tooSlow: () => void): void {
    const { bytesRead } = this.#request.socket;
    const slow = bytesRead - this.#seen < LEAST_BYTES;
    this.#seen = bytesRead;
    if (!slow) return;
    this.stop();
    tooSlow();
  }
}
