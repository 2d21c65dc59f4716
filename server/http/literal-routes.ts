import type { IncomingMessage } from 'node:http';
import type { HttpRoute } from './exchange.ts';
import type { Serve } from './router.ts';

/** The beginning of a target that a client meant for a proxy: RFC 9112, section 3.2.2. */
const ABSOLUTE = /^https?:\/\/[^/?]*/i;

interface Entry {
  post: Serve | undefined;
  other: Serve | undefined;
}

/**
 * Routes that a platform chooses by any path, which may have characters of the router's patterns
 * and may be the path of another route. A route that scores takes POST there, any other the rest.
 */
export class LiteralRoutes {
  readonly #entries = new Map<string, Entry>();
  readonly #own: ReadonlySet<string>;

  /** @param own paths of other routes, which keep the methods that no route here takes */
  constructor(own: Iterable<string> = []) {
    this.#own = new Set(own);
  }

  add({ path, scores }: Pick<HttpRoute, 'path' | 'scores'>, serve: Serve): void {
    const entry = this.#entries.get(path) ?? { post: undefined, other: undefined };
    entry[scores === true ? 'post' : 'other'] = serve;
    this.#entries.set(path, entry);
  }

  /** Undefined where other routes decide. */
  find({ method, url = '' }: Pick<IncomingMessage, 'method' | 'url'>): Serve | undefined {
    if (this.#entries.size === 0) return undefined;
    const target = url.startsWith('/') ? url : url.replace(ABSOLUTE, '');
    const query = target.indexOf('?');
    const path = query < 0 ? target : target.slice(0, query);
    const entry = this.#entries.get(path);
    if (entry === undefined) return undefined;
    const [wanted, rest] = method === 'POST' ? [entry.post, entry.other] : [entry.other, entry.post];
    return wanted ?? (this.#own.has(path) ? undefined : rest);
  }
}
