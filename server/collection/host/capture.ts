import { capturedHeaders } from '../../request/captured-headers.ts';
import { Body, type BodyState, type ExchangeRecord, type Side } from '../records.ts';

/** A larger body is not collected, and its record has the reason. */
const LARGEST_BODY = 32 * 1024 * 1024;

/** Memory of a piece of a streamed answer besides its bytes, about. */
const PIECE_OVERHEAD = 128;

/** The owner of captures. */
interface Keeper {
  readonly captureHeaders: readonly string[];
  /** Reserves memory for a body. Answers false where there is no room. */
  hold(bytes: number): boolean;
  release(bytes: number): void;
  exchange(record: ExchangeRecord): void;
}

/** The end of a request, as a front door reports it. */
export interface Ended {
  readonly method: string;
  /** Path and query. */
  readonly url: string;
  readonly status: number;
}

/**
 * The parts of one scoring request that are kept while it is under way. They are references, not
 * copies.
 */
export class Capture {
  readonly #keeper: Keeper;
  readonly #id: string;
  readonly #time = Date.now();
  #request: Side;
  #response: Side;
  #held = 0;
  #ended = false;
  #parsed = false;

  constructor(keeper: Keeper, id: string, request: boolean, response: boolean) {
    this.#keeper = keeper;
    this.#id = id;
    this.#request = nothing(request ? Body.notRead : Body.notCollected);
    this.#response = nothing(response ? Body.notRead : Body.notCollected);
  }

  /**
   * @param rawHeaders name, value, name, value, ...
   * @param body undefined where it has not been read
   * @param parsed true where a worker parses a body of JSON, or fails
   */
  received(
    contentType: string | undefined,
    rawHeaders: readonly string[],
    body: readonly Buffer[] | undefined,
    bytes: number,
    parsed = false,
  ): void {
    if (this.#ended || this.#request.state === Body.notCollected) return;
    const headers = capturedHeaders(this.#keeper.captureHeaders, rawHeaders);
    this.#parsed = parsed;
    this.#request = this.#side(contentType, headers, body, bytes);
  }

  /**
   * @param body undefined where its pieces follow, and `complete`
   * @param written true where this server has written it as JSON
   */
  answered(contentType: string, headers: readonly (readonly [string, string])[], body: Buffer | undefined, written = false): void {
    if (this.#ended || this.#response.state === Body.notCollected) return;
    const captured = this.#keeper.captureHeaders.length === 0 ? [] : capturedHeaders(this.#keeper.captureHeaders, headers.flat());
    this.#response = this.#side(contentType, captured, body === undefined ? [] : [body], body?.length ?? 0);
    if (this.#response.state !== Body.kept) return;
    if (body === undefined) this.#response = withState(this.#response, Body.partial);
    else if (written) this.#response = withState(this.#response, Body.written);
  }

  /** A streamed answer has ended. One that never does so is partial. */
  complete(): void {
    if (!this.#ended && this.#response.state === Body.partial) this.#response = withState(this.#response, Body.kept);
  }

  /** A piece of a streamed answer. */
  piece(bytes: Buffer): void {
    const { state, contentType, headers, body, bodyBytes } = this.#response;
    if (this.#ended || state !== Body.partial) return;
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- `answered` has made this array for the pieces
    (body as Buffer[]).push(bytes);
    const all = bodyBytes + bytes.length;
    if (all <= LARGEST_BODY && this.#hold(bytes.length + PIECE_OVERHEAD))
      this.#response = { state, contentType, headers, body, bodyBytes: all };
    else {
      // Others need the room now, and the stream may last.
      this.#release(bodyBytes + PIECE_OVERHEAD * (body.length - 1));
      this.#response = { state: all > LARGEST_BODY ? Body.tooLarge : Body.noMemory, contentType, headers, body: [], bodyBytes: 0 };
    }
  }

  end({ method, url, status }: Ended): void {
    this.#ended = true;
    this.#release(this.#held);
    if (this.#parsed && status === 200 && this.#request.state === Body.kept) this.#request = withState(this.#request, Body.parsed);
    this.#keeper.exchange({ time: this.#time, id: this.#id, method, url, status, request: this.#request, response: this.#response });
  }

  #side(contentType: string | undefined, headers: readonly string[], body: readonly Buffer[] | undefined, bytes: number): Side {
    const state = body === undefined ? Body.notRead : this.#stateOf(bytes);
    if (state !== Body.kept) return { ...nothing(state), contentType: contentType ?? '', headers };
    return { state, contentType: contentType ?? '', headers, body: body ?? [], bodyBytes: bytes };
  }

  #stateOf(bytes: number): BodyState {
    if (bytes > LARGEST_BODY) return Body.tooLarge;
    return this.#hold(bytes) ? Body.kept : Body.noMemory;
  }

  #hold(bytes: number): boolean {
    if (!this.#keeper.hold(bytes)) return false;
    this.#held += bytes;
    return true;
  }

  #release(bytes: number): void {
    this.#keeper.release(bytes);
    this.#held -= bytes;
  }
}

const nothing = (state: BodyState): Side => ({ state, contentType: '', headers: [], body: [], bodyBytes: 0 });

/** Names each member, because a copy by `...` takes more than twice the time. */
function withState({ contentType, headers, body, bodyBytes }: Side, state: BodyState): Side {
  return { state, contentType, headers, body, bodyBytes };
}
