import { constants, type ServerHttp2Stream } from 'node:http2';
import type { AnswerMemory } from '../scoring/answer-memory.ts';
import { messageHead } from './framing.ts';
import { ENCODINGS } from './inflate.ts';
import { echoed } from './metadata.ts';
import { statusText } from './status.ts';

/** Bytes of a piece of a longer message. Each leaves once the client has taken the piece before. */
const PIECE_BYTES = 64 * 1024;

/**
 * A status has left after this time, if the client takes anything; if not, `checkPace` checks
 * again.
 */
const STATUS_LEAVES_MS = 20;

/**
 * Sends the answer of a call: the head, messages, and a status behind them. Messages to a client
 * that has left are dropped.
 */
export class AnswerStream {
  readonly #stream: ServerHttp2Stream;
  #metadata: readonly string[];
  readonly #answers: AnswerMemory;
  /** Unsent rest of the last message. */
  #rest: Buffer | undefined;
  #trailers: Record<string, string> | undefined;
  #poured = 0;
  /** When the client last took something. */
  #takenAt = 0;

  /** @param metadata name, value, name, value, ... */
  constructor(stream: ServerHttp2Stream, metadata: readonly string[], answers: AnswerMemory) {
    this.#stream = stream;
    this.#answers = answers;
    this.#metadata = metadata;
    stream.on('drain', () => this.#pour());
    stream.on('wantTrailers', () => this.#sendTrailers());
  }

  /** Puts metadata of a script before the server's own. @param metadata name, value, ... */
  prepend(metadata: readonly string[]): void {
    if (metadata.length > 0) this.#metadata = [...metadata, ...this.#metadata];
  }

  /** Sends a message. Before the client has taken it, only small ones may follow. */
  push(message: Buffer): void {
    if (!this.#open()) return;
    if (message.length <= PIECE_BYTES) {
      this.#stream.write(Buffer.concat([messageHead(message.length), message]));
      return;
    }
    this.#stream.write(messageHead(message.length));
    this.#rest = message;
    this.#pour();
    if (!this.taken) this.#hold(message.length);
  }

  /** Counts a message until the client has all of it, or the stream is closed. */
  #hold(bytes: number): void {
    const stream = this.#stream;
    const rest = (): number => (stream.destroyed || this.taken ? 0 : bytes);
    const poured = (): number => this.#poured - stream.writableLength;
    const held = this.#answers.hold(bytes, {
      get unsent() {
        return rest();
      },
      get taken() {
        return poured();
      },
      close: () => stream.destroy(),
    });
    stream.once('close', () => held.release());
  }

  /** True if the client has taken all that was pushed. */
  get taken(): boolean {
    return this.#rest === undefined && this.#stream.writableLength === 0;
  }

  /** Sends the status behind the messages, once. */
  end(status: number, text: string): void {
    if (this.#trailers !== undefined) return;
    this.#trailers = { 'grpc-status': String(status), ...(text === '' ? {} : { 'grpc-message': statusText(text) }) };
    if (this.#open() && this.#rest === undefined) this.#stream.end();
  }

  /** Breaks off the answer. */
  destroy(): void {
    this.#stream.destroy();
  }

  /**
   * Closes an answer that has ended, if its client takes nothing of it.
   * @param now `performance.now()`
   */
  checkPace(now: number, idleMs: number): void {
    this.#stopUpload();
    if (now - this.#takenAt > idleMs) this.#stream.close(constants.NGHTTP2_CANCEL);
  }

  /** Sends the head, once. False if the client has left. */
  #open(): boolean {
    const stream = this.#stream;
    if (stream.destroyed || stream.closed) return false;
    this.#takenAt = performance.now();
    if (stream.headersSent) return true;
    const head = echoed(this.#metadata);
    head['content-type'] = 'application/grpc+proto';
    head['grpc-encoding'] = 'identity';
    head['grpc-accept-encoding'] = ENCODINGS;
    stream.respond(head, { waitForTrailers: true });
    return true;
  }

  #pour(): void {
    this.#takenAt = performance.now();
    while (this.#rest !== undefined) {
      const piece = this.#rest.subarray(0, PIECE_BYTES);
      this.#rest = piece.length < this.#rest.length ? this.#rest.subarray(piece.length) : undefined;
      this.#poured += piece.length;
      const takesMore = this.#stream.write(piece);
      if (this.#rest === undefined && this.#trailers !== undefined) this.#stream.end();
      if (!takesMore) return;
    }
  }

  #sendTrailers(): void {
    const stream = this.#stream;
    if (stream.destroyed) return;
    stream.sendTrailers(this.#trailers ?? {});
    // A refused call has not begun to read: what still comes is discarded.
    stream.resume();
    if (!stream.readableEnded) setTimeout(() => this.#stopUpload(), STATUS_LEAVES_MS).unref();
  }

  /**
   * Stops a client that is still sending. Before the status has left, this would drop the status.
   */
  #stopUpload(): void {
    const stream = this.#stream;
    if (!stream.destroyed && stream.state.localClose === 1) stream.close(constants.NGHTTP2_NO_ERROR);
  }
}
