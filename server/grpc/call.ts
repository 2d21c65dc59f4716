import type { IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2';
import { withoutCredentials } from '../access/credentials.ts';
import { ServerError } from '../errors.ts';
import type { ClientLimit } from '../exchange/client-deadline.ts';
import { Exchange } from '../exchange/exchange.ts';
import type { ExchangeRoute, ExchangeServices } from '../exchange/services.ts';
import { contentTypeOf } from '../request/content-types.ts';
import type { ScoreReply } from '../scoring/scorer-types.ts';
import { AnswerStream } from './answer-stream.ts';
import { type Message, MessageReader } from './framing.ts';
import { inflate } from './inflate.ts';
import type { GrpcLimits } from './limits.ts';
import { metadataOf, metadataOfReply, timeoutOf } from './metadata.ts';
import { MessageAdmission } from './message-admission.ts';
import { status, statusName, statusOf, statusOfFailure } from './status.ts';

/** Services that all calls of one server share. */
export interface GrpcServices extends ExchangeServices {
  readonly limits: GrpcLimits;
}

/** A method of a gRPC service. */
export interface GrpcMethod extends ExchangeRoute {
  /** Longest message in bytes, as sent and inflated. */
  readonly limit: number;
  /** Ends the call, now or later, or throws. */
  readonly handle: (call: Call, message: Message) => void;
}

/** Type of bodies that are messages of ModelInfer: worker/codecs/open-inference-grpc.ts. */
const CONTENT_TYPE = 'application/grpc';

/**
 * Bytes of a message that need no reservation if it is not scored, so that a probe is never
 * refused.
 */
const FREE_BYTES = 4 * 1024;

/** One call and its answer. It ends with `answer`, `end` or `fail`; later answers are ignored. */
export class Call extends Exchange<GrpcServices, GrpcMethod> {
  readonly method = 'POST';
  readonly contentType = CONTENT_TYPE;
  readonly protocolVersion = '2';
  readonly url: string;
  readonly target: string;
  /** Metadata as name, value, name, value, ... */
  readonly rawHeaders: readonly string[];
  status = 200;
  /** gRPC's status: the first that was sent. Undefined where the call was broken off. */
  #code: number | undefined;
  readonly #stream: AnswerStream;
  readonly #headers: IncomingHttpHeaders;
  /** Reserves the bytes of the message that have arrived. */
  readonly #admission: MessageAdmission;
  readonly #reader: MessageReader;
  #uploaded = false;
  /** Start of the upload's window, and the bytes that had arrived by then. */
  #window = { from: this.startedAt, bytes: 0 };
  #over = false;

  constructor(
    services: GrpcServices,
    route: GrpcMethod,
    stream: ServerHttp2Stream,
    headers: IncomingHttpHeaders,
    rawHeaders: readonly string[],
  ) {
    super(services, route, headers, stream.session?.socket);
    this.#headers = headers;
    this.#admission = new MessageAdmission(services.scorer, route.scores === true ? 0 : FREE_BYTES);
    this.#reader = new MessageReader(route.limit, this.#admission);
    const metadata = metadataOf(rawHeaders);
    this.rawHeaders = services.access === undefined ? metadata : withoutCredentials(metadata);
    this.#stream = new AnswerStream(stream, this.ids.headers, services.scorer.answers);
    this.target = headers[':path'] ?? '';
    this.url = `${services.scheme}://${headers[':authority'] ?? headers.host ?? ''}${this.target}`;
    stream.on('close', () => {
      this.#left();
      // The answer is held until here.
      services.buffers.used(this.#admission.taken + this.bytesOut);
    });
    this.guard(() => this.begin(rawHeaders, () => this.#admitted(stream)));
  }

  get rpcStatus(): string {
    return statusName(this.#code ?? status.INTERNAL);
  }

  override header(name: 'user-agent' | 'x-forwarded-for'): string | undefined {
    const value = this.#headers[name];
    return typeof value === 'string' ? value : undefined;
  }

  /** ModelInfer: a worker gets the message as it is, and its answer goes to the client as it is. */
  infer({ pieces, bytes }: Message): void {
    this.collect();
    this.score('open-inference-grpc', pieces, bytes, this.#admission);
  }

  answer(message: Buffer): void {
    if (this.#over) return;
    this.push(message);
    this.end();
  }

  /** Sends one message of an answer that has several. `end` ends it. */
  push(message: Buffer): void {
    if (this.#over) return;
    this.bytesOut += message.length;
    this.#stream.push(message);
  }

  /** True if the client has taken all that was pushed. */
  get taken(): boolean {
    return this.#stream.taken;
  }

  end(): void {
    if (this.#over) return;
    this.#endStream(status.OK, '');
    this.#close();
  }

  override fail(thrown: unknown): void {
    if (!this.#over) super.fail(thrown);
  }

  /** Ends the call if its client is too slow. @param now `performance.now()` */
  checkPace(now: number): void {
    const { answerIdleMs, uploadWindowMs, uploadWindowBytes } = this.services.limits;
    if (this.#over) return this.#stream.checkPace(now, answerIdleMs);
    if (this.#uploaded || now - this.#window.from < uploadWindowMs) return;
    if (this.bytesIn - this.#window.bytes >= uploadWindowBytes) this.#window = { from: now, bytes: this.bytesIn };
    else {
      const expected = `at least ${uploadWindowBytes / 1024} KiB in ${uploadWindowMs / 1000} s`;
      this.fail(new ServerError('request_timeout', `The message arrives too slowly: expected ${expected}`));
    }
  }

  /** Of any method, as gRPC has it. */
  protected override clientLimit(): ClientLimit | undefined {
    return timeoutOf(this.#headers['grpc-timeout']);
  }

  /**
   * A script may have answered with a status of its own. gRPC carries only whole messages of
   * tensors.
   */
  protected override answerReply({ status: httpStatus, headers, body }: ScoreReply): void {
    const whole = Buffer.isBuffer(body);
    if (!whole) body.destroy();
    if (httpStatus >= 400) {
      this.#stream.prepend(metadataOfReply(headers));
      const text = whole ? body.toString() : 'the error is a stream, which gRPC cannot carry here';
      return this.#refuse(httpStatus, statusOf(httpStatus), text);
    }
    if (!whole || contentTypeOf(headers) !== CONTENT_TYPE)
      throw new ServerError(
        'result_not_json',
        'run() answered a Response or an iterator, which has no tensor form: over gRPC return tensors by name',
      );
    this.#stream.prepend(metadataOfReply(headers));
    this.answer(body);
  }

  protected override answerFailure(error: ServerError): void {
    this.capture?.answered('text/plain', [], Buffer.from(error.clientMessage));
    this.#refuse(error.failure.status ?? 500, statusOfFailure(error), error.clientMessage);
  }

  protected override abort(): void {
    this.#stream.destroy();
    if (!this.#over) this.#close();
  }

  /** Undefined: protobuf has no text. */
  protected override inputText(): undefined {
    return undefined;
  }

  /** Begins to read. Before the caller is known, nothing of a message is read or reserved. */
  #admitted(stream: ServerHttp2Stream): void {
    if (this.route.unknown === true)
      return this.#refuse(404, status.UNIMPLEMENTED, `The server does not implement the method ${this.target}`);
    if (this.route.scores === true) this.admit();
    stream.on('data', (data: Buffer) => this.#arrived(data));
    stream.on('end', () => this.#whole());
  }

  #arrived(data: Buffer): void {
    if (this.#over) return;
    this.bytesIn += data.length;
    this.guard(() => this.#reader.take(data));
  }

  #whole(): void {
    if (this.#over) return;
    this.#uploaded = true;
    this.#handle().catch((thrown: unknown) => this.fail(thrown));
  }

  async #handle(): Promise<void> {
    let message = this.#reader.end();
    const { limit } = this.route;
    if (this.#reader.compressed)
      message = await inflate(message, String(this.#headers['grpc-encoding'] ?? 'identity'), limit, this.#admission);
    if (this.#over) return;
    this.bytesIn = message.bytes;
    this.route.handle(this, message);
  }

  /** The client has left. Cancelled work ends the call later. */
  #left(): void {
    if (this.#over) return;
    if (this.stage === 'reading') this.fail(new ServerError('client_gone', 'The client left before the answer.'));
    else this.cancel();
  }

  #refuse(httpStatus: number, code: number, text: string): void {
    if (this.#over) return;
    this.status = httpStatus;
    this.#endStream(code, text);
    this.#close();
  }

  #endStream(code: number, text: string): void {
    this.#code ??= code;
    this.#stream.end(code, text);
  }

  #close(): void {
    this.#over = true;
    this.#admission.cancel();
    this.record();
  }
}
