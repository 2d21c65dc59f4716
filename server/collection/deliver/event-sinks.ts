import { originOf } from '../../guards/addresses.ts';
import { Poster, type PostResult } from '../../delivery/post.ts';
import type { ProxyVariables } from '../../config/proxies.ts';
import { describeThrown } from '../../errors.ts';
import type { Block } from '../encode/block.ts';
import { CALL_TIMEOUT_MS, SinkError, statusError, type Batch, type Sink } from './sink.ts';

/** Requests that are sent at a time. */
const AT_ONCE = 8;

/** A request that carries one event, or the part of a request that does. */
export interface Post {
  readonly headers: Record<string, string>;
  readonly body: string;
}

/** How events become requests, and what the answers mean. */
export interface Format {
  /** Most events of a request, and most bytes of its body. A longer event is sent alone. */
  readonly events: number;
  readonly bytes: number;
  /** Largest data of an event, in bytes; larger data is left out. */
  readonly largestData: number;
  /** Texts around the events of a request, which have commas between them. */
  readonly around: readonly [before: string, after: string];
  /** @throws SinkError where the line is no event */
  post(line: Block): Post;
  /**
   * The failures that an answer with a 2xx names, one for each event. Undefined: a 2xx means that
   * all are taken.
   */
  failures?(answer: string, events: number): readonly (SinkError | undefined)[];
}

/** An address to which events are posted. */
export interface Target {
  readonly url: string;
  /** Of each request, besides those of the format; they may be keys. */
  readonly headers: () => Readonly<Record<string, string>>;
  readonly proxies: ProxyVariables;
}

/** A line and its request. */
interface Event extends Post {
  readonly line: Block;
}

/** The failure of each line of a request; undefined: it is sent. */
type Outcomes = Map<Block, SinkError | undefined>;

/** Sends events as POSTs: the sinks `http` and `azureml`. A redirect is not followed. */
export class PostSink implements Sink {
  readonly appends = false;
  readonly name: string;
  readonly #target: Target;
  readonly #format: Format;
  readonly #poster: Poster;

  constructor(name: string, target: Target, format: Format) {
    this.name = name;
    this.#target = target;
    this.#format = format;
    const options = { longestMs: CALL_TIMEOUT_MS, connections: AT_ONCE, redirects: 0 };
    this.#poster = new Poster(target.url, {}, target.proxies, options);
  }

  get largestInline(): number {
    return this.#format.largestData;
  }

  reference(): undefined {
    return undefined;
  }

  /** Removes each line that is sent from the batch, so that a retry sends only the rest. */
  async write({ blocks: lines }: Batch, signal: AbortSignal): Promise<void> {
    while (lines.length > 0) {
      const outcomes: Outcomes = new Map();
      const requests = this.#requests(lines, outcomes);
      await Promise.all(requests.map((events) => this.#send(events, signal, outcomes)));
      const failed = lines.splice(0, outcomes.size).flatMap((line) => {
        const failure = outcomes.get(line);
        return failure === undefined ? [] : [{ line, failure }];
      });
      const again = failed.filter(({ failure }) => failure.retriable);
      const refused = failed.filter(({ failure }) => !failure.retriable);
      lines.unshift(...again.map(({ line }) => line));
      if (refused[0] !== undefined) {
        const { code, message } = refused[0].failure;
        throw new SinkError(code, message, { retriable: false, rejected: refused.map(({ line }) => line) });
      }
      // The longest wait that any answer asks for.
      const [next] = again.toSorted((one, other) => (other.failure.askedMs ?? 0) - (one.failure.askedMs ?? 0));
      if (next !== undefined) throw next.failure;
    }
  }

  close(): Promise<void> {
    this.#poster.close();
    return Promise.resolve();
  }

  /** The next requests. @param outcomes gets the lines for which no request can be made */
  #requests(lines: readonly Block[], outcomes: Outcomes): Event[][] {
    const { events: most, bytes: room } = this.#format;
    const requests: Event[][] = [];
    let free = 0;
    for (const line of lines) {
      let event: Event;
      try {
        event = { line, ...this.#format.post(line) };
      } catch (thrown) {
        outcomes.set(line, invalid(thrown));
        continue;
      }
      const size = Buffer.byteLength(event.body) + 1;
      const last = requests.at(-1);
      if (last !== undefined && last.length < most && size <= free) last.push(event);
      else if (requests.length === AT_ONCE) break;
      else {
        requests.push([event]);
        free = room;
      }
      free -= size;
    }
    return requests;
  }

  /** Never rejects. A request that is refused as a whole is halved until the bad event is alone. */
  async #send(events: readonly Event[], signal: AbortSignal, outcomes: Outcomes): Promise<void> {
    const { around } = this.#format;
    const body = Buffer.from(`${around[0]}${events.map((event) => event.body).join(',')}${around[1]}`);
    const headers = { ...events[0]?.headers, ...this.#target.headers() };
    const result = await this.#poster.post(body, { headers, signal });
    const failure = this.#failureOf(result);
    if (failure?.retriable === false && events.length > 1) {
      const middle = Math.ceil(events.length / 2);
      for (const half of [events.slice(0, middle), events.slice(middle)]) await this.#send(half, signal, outcomes);
      return;
    }
    const each = failure === undefined && 'text' in result ? (this.#format.failures?.(result.text, events.length) ?? []) : [];
    for (const [index, { line }] of events.entries()) outcomes.set(line, failure ?? each[index]);
  }

  #failureOf(result: PostResult): SinkError | undefined {
    const origin = originOf(this.#target.url);
    if ('error' in result) {
      const { code, error } = result;
      return new SinkError(code, `${origin}: ${error}`, { retriable: !UNSENDABLE.has(code) });
    }
    if (result.status >= 200 && result.status < 300) return undefined;
    return statusError(result.status, `${origin}: answered ${result.status}`, result.retryAfter);
  }
}

/** Codes of Node for headers that no request can have: a retry would hold up all other lines. */
const UNSENDABLE: ReadonlySet<string> = new Set(['ERR_INVALID_CHAR', 'ERR_INVALID_HTTP_TOKEN']);

/** No request can be made of this line: a retry would fail as well. */
function invalid(thrown: unknown): SinkError {
  return thrown instanceof SinkError ? thrown : new SinkError('invalid_event', describeThrown(thrown), { retriable: false, cause: thrown });
}
