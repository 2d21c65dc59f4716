import { ServerError } from '../errors.ts';
import { bufferFrom } from '../guards/built-ins.ts';
import type { HeaderPairs } from '../ipc/header-fields.ts';
import { jsonText } from '../ipc/message-text.ts';
import { JSON_HEADERS } from '../ipc/reply-head.ts';
import type { FailureMessage } from '../ipc/worker-messages.ts';
import { tooLarge } from './answer-limit.ts';
import type { HttpAnswer } from './codecs/codec.ts';
import { type ChunkSource, isStreamed, sourceOf } from './chunk-source.ts';
import { isResponse, responseParts } from './outcome.ts';
import type { Beginning, StreamSender } from './stream-sender.ts';

/** The answer to a failure, in the form that clients of /score get. */
export function httpAnswer({ code, message }: FailureMessage): HttpAnswer {
  const error = new ServerError(code, message);
  return { status: error.failure.status ?? 500, headers: JSON_HEADERS, body: jsonText({ message: error.clientMessage }) };
}

/** Makes the sender of a source, which leads to `pieces` instead of the host. */
type MakeSender = (source: ChunkSource, pieces: Pieces) => StreamSender;

/**
 * The whole answer of a Response or an iterator, for protocols that wrap what `run()` answers.
 * @throws what its source throws; ServerError answer_too_large
 */
export async function wholeAnswer(result: unknown, limitBytes: number | undefined, makeSender: MakeSender): Promise<HttpAnswer> {
  const pieces = new Pieces(limitBytes);
  if (!isResponse(result)) {
    if (!isStreamed(result)) throw new TypeError('expected a Response or an iterator');
    pieces.sender = makeSender(sourceOf(result), pieces);
    await pieces.sender.sendItems(pieces);
    return pieces.answer(200);
  }
  const { status, headers, body } = responseParts(result);
  if (typeof body === 'string') return { status, headers, body: bufferFrom(body) };
  pieces.sender = makeSender(body.source, pieces);
  await pieces.sender.sendBody(pieces, headers, body.encoding);
  return pieces.answer(status);
}

/** Takes the pieces of an answer in place of the host. */
class Pieces implements Beginning {
  readonly #limitBytes: number;
  readonly #pieces: Buffer[] = [];
  #bytes = 0;
  #headers: HeaderPairs = [];
  sender: StreamSender | undefined;

  constructor(limitBytes = Infinity) {
    this.#limitBytes = limitBytes;
  }

  stream(headers: HeaderPairs): void {
    this.#headers = headers;
  }

  whole(headers: HeaderPairs, body: Uint8Array | string): void {
    this.#headers = headers;
    this.chunk(0, typeof body === 'string' ? bufferFrom(body) : bufferFrom(body));
  }

  /** @throws ServerError answer_too_large */
  chunk(_id: number, bytes: Buffer): void {
    this.#bytes += bytes.length;
    if (this.#bytes > this.#limitBytes) throw tooLarge(this.#limitBytes);
    this.#pieces.push(bytes);
    this.sender?.credit(bytes.length);
  }

  end(): void {}

  answer(status: number): HttpAnswer {
    return { status, headers: this.#headers, body: Buffer.concat(this.#pieces) };
  }
}
