import type { Readable } from 'node:stream';
import { answerable, failures, isRefusal, ServerError } from '../errors.ts';
import { Admission } from '../exchange/admission.ts';
import { Exchange } from '../exchange/exchange.ts';
import type { ExchangeRoute, ExchangeServices } from '../exchange/services.ts';
import { messageBody } from '../http/error-reply.ts';
import { contentTypeOf } from '../request/content-types.ts';
import type { ScoreReply } from '../scoring/scorer-types.ts';
import { bodyText } from '../telemetry/request-exports.ts';
import type { ModuleMessage } from './module-message.ts';

/** Bytes of the longest message that IoT Hub and edgeHub take, with its properties. */
const LONGEST_MESSAGE = 256 * 1024;
/** Bytes of it that are left to properties. */
const FOR_PROPERTIES = 8 * 1024;
const LONGEST_ANSWER = LONGEST_MESSAGE - FOR_PROPERTIES;

/** An answer to a message. */
export interface MessageAnswer {
  readonly kind: 'answer';
  readonly status: number;
  /** Code of the failure; `scoring_error`: the script's own; undefined: none. */
  readonly error: string | undefined;
  readonly contentType: string;
  /** Of the body; undefined: it is not compressed. */
  readonly contentEncoding: string | undefined;
  readonly body: Buffer;
}

/**
 * The end of one attempt. `lost`: its worker ended. `refused`: nothing was wrong with the message,
 * and a later attempt may succeed.
 */
export type Attempt = MessageAnswer | { readonly kind: 'lost' | 'refused'; readonly failure: ServerError };

type Parts = readonly [services: ExchangeServices, route: ExchangeRoute, message: ModuleMessage];

/** One attempt to score a message, as a request on /score. */
export class MessageExchange extends Exchange {
  readonly method = 'POST';
  readonly target = '/score';
  readonly protocolVersion = '1.1';
  readonly url: string;
  readonly contentType: string;
  readonly rawHeaders: readonly string[];
  status = 0;
  readonly #message: ModuleMessage;
  readonly #attempt = Promise.withResolvers<Attempt>();

  constructor(...[services, route, message]: Parts) {
    super(services, route, headersOf(message), undefined);
    this.#message = message;
    this.url = `iot-edge://${route.path}`;
    this.contentType = message.contentType;
    this.rawHeaders = message.rawHeaders;
  }

  /** Scores the message. Never rejects. */
  async attempt(): Promise<Attempt> {
    this.guard(() => this.begin([], () => this.#begun()));
    const attempt = await this.#attempt.promise;
    this.record();
    return attempt;
  }

  override header(): undefined {
    return undefined;
  }

  protected override clientLimit(): undefined {
    return undefined;
  }

  protected override answerReply({ status, headers, body }: ScoreReply): void {
    if (!Buffer.isBuffer(body)) return this.#collectStream(body, (whole) => this.#answerWith(status, headers, whole));
    return this.#answerWith(status, headers, body);
  }

  protected override answerFailure(failure: ServerError): void {
    const status = failure.failure.status ?? 500;
    const body = Buffer.from(messageBody(failure.clientMessage));
    this.capture?.answered('application/json', [], body);
    if (failure.code === 'worker_lost') this.#end({ kind: 'lost', failure }, status);
    else if (isRefusal(failure)) this.#end({ kind: 'refused', failure }, status);
    else this.#end(answerOf(failure), status);
  }

  protected override abort(): void {
    this.#end(answerOf(new ServerError('internal', 'The answer could not be made.')));
  }

  protected override inputText(body: readonly Buffer[]): string {
    return bodyText(body, this.contentType);
  }

  #begun(): void {
    const { body } = this.#message;
    this.bytesIn = body.length;
    this.collect();
    this.admit(body.length);
    const admission = new Admission(this.services.scorer);
    this.startReading(admission);
    admission.grow(body.length, 'whole');
    this.score('score', body.length === 0 ? [] : [body], body.length, admission);
  }

  #answerWith(status: number, headers: ScoreReply['headers'], body: Buffer): void {
    if (body.length > LONGEST_ANSWER) throw tooLarge();
    const contentType = contentTypeOf(headers);
    this.#end({
      kind: 'answer',
      status,
      error: status >= 400 ? 'scoring_error' : undefined,
      contentType: contentType === '' ? 'application/json' : contentType,
      contentEncoding: headers.findLast(([name]) => name.toLowerCase() === 'content-encoding')?.[1],
      body,
    });
  }

  /** Collects a stream, because a message has one piece. */
  #collectStream(stream: Readable, whole: (body: Buffer) => void): void {
    const pieces: Buffer[] = [];
    let bytes = 0;
    this.startAnswering({ cancel: () => void stream.destroy() });
    stream.on('data', (piece: Buffer) => {
      bytes += piece.length;
      pieces.push(piece);
      this.guard(() => this.capture?.piece(piece));
      if (bytes > LONGEST_ANSWER) stream.destroy(tooLarge());
    });
    stream.on('error', (error) => this.fail(error));
    stream.on('close', () => stream.readableEnded || this.fail(new ServerError('client_gone', 'the stream was cancelled')));
    stream.on('end', () => {
      this.guard(() => this.capture?.complete());
      this.guard(() => whole(Buffer.concat(pieces)));
    });
  }

  #end(attempt: Attempt, status = attempt.kind === 'answer' ? attempt.status : 0): void {
    this.status = status;
    this.bytesOut = attempt.kind === 'answer' ? attempt.body.length : 0;
    this.#attempt.resolve(attempt);
  }
}

/** The answer of a failure: what /score answers. */
export function answerOf(thrown: unknown): MessageAnswer {
  const { code, clientMessage } = answerable(thrown);
  return {
    kind: 'answer',
    status: failures[code].status ?? 500,
    error: code,
    contentType: 'application/json',
    contentEncoding: undefined,
    body: Buffer.from(messageBody(clientMessage)),
  };
}

function tooLarge(): ServerError {
  return new ServerError('answer_too_large', `the answer is above the ${LONGEST_ANSWER} bytes that a message of IoT Edge may have`);
}

function headersOf({ requestId, traceparent }: ModuleMessage): Record<string, string> {
  return { 'x-request-id': requestId, ...(traceparent !== undefined && { traceparent }) };
}
