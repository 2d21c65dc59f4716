import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import type { Socket } from 'node:net';
import { describeThrown } from '../errors.ts';

/** Bytes of an answer that are read. A longer one is cut off. */
const LONGEST_ANSWER = 1024 * 1024;

/** How a POST ended. */
export type PostResult =
  | { readonly status: number; readonly text: string; readonly retryAfter: string | undefined }
  /**
   * @param code of Node, or the error's name
   * @param sent whether the service may have received it
   */
  | { readonly error: string; readonly code: string; readonly sent: boolean };

interface PosterOptions {
  /** Milliseconds. A service that takes longer hangs. */
  readonly longestMs?: number;
  /** Connections at a time. They stay open. */
  readonly connections?: number;
  /** Redirects that are followed, with the same headers; 0: they are answers. */
  readonly redirects?: number;
}

interface Call {
  /** Beside those of the poster. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Ends the call early. */
  readonly signal?: AbortSignal;
}

/** POSTs to one address, through a proxy where there is one for it. */
export class Poster {
  /** The target of the last redirect. */
  #url: string;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #agents: { readonly http: HttpAgent; readonly https: HttpsAgent };
  readonly #longestMs: number;
  readonly #redirects: number;

  /** @param proxies http_proxy, https_proxy, no_proxy */
  constructor(
    url: string,
    headers: Readonly<Record<string, string>>,
    proxies: Readonly<Record<string, string | undefined>>,
    options: PosterOptions = {},
  ) {
    const { longestMs = 10_000, connections = 1, redirects = 10 } = options;
    this.#url = url;
    this.#headers = headers;
    this.#longestMs = longestMs;
    this.#redirects = redirects;
    const agent = { keepAlive: true, maxSockets: connections, proxyEnv: { ...proxies } };
    this.#agents = { http: new HttpAgent(agent), https: new HttpsAgent(agent) };
  }

  /** Never rejects. */
  async post(body: Uint8Array, call: Call = {}): Promise<PostResult> {
    for (let redirects = 0; ; redirects++) {
      const result = await this.#once(body, call);
      if (!('location' in result)) return result;
      if (redirects === this.#redirects)
        return {
          error: `more than ${this.#redirects} redirects, the last to ${result.location}`,
          code: 'ERR_TOO_MANY_REDIRECTS',
          sent: false,
        };
      this.#url = result.location;
    }
  }

  /** Closes the connections that are idle. */
  close(): void {
    for (const agent of Object.values(this.#agents)) agent.destroy();
  }

  async #once(body: Uint8Array, call: Call): Promise<PostResult | { readonly location: string }> {
    const url = new URL(this.#url);
    const secure = url.protocol === 'https:';
    let sent = false;
    try {
      const response = await new Promise<IncomingMessage>((resolve, reject) => {
        const headers = { ...this.#headers, ...call.headers, 'content-length': body.length };
        const options = { method: 'POST', headers, signal: this.#signal(call.signal) };
        const request = secure
          ? httpsRequest(url, { ...options, agent: this.#agents.https })
          : httpRequest(url, { ...options, agent: this.#agents.http });
        request.once('response', resolve).once('error', reject);
        request.once('socket', (socket: Socket & { readonly secureConnecting?: boolean }) => {
          if (socket.connecting || socket.secureConnecting === true) socket.once(secure ? 'secureConnect' : 'connect', () => (sent = true));
          else sent = true;
        });
        request.end(body);
      });
      const { statusCode: status = 0, headers } = response;
      const answer = await textOf(response);
      if (this.#redirects > 0 && (status === 307 || status === 308) && headers.location !== undefined)
        return { location: new URL(headers.location, url).href };
      return { status, text: answer, retryAfter: headers['retry-after'] };
    } catch (error) {
      return { ...this.#describe(error), sent };
    }
  }

  #signal(early: AbortSignal | undefined): AbortSignal {
    const limit = AbortSignal.timeout(this.#longestMs);
    return early === undefined ? limit : AbortSignal.any([early, limit]);
  }

  #describe(error: unknown): { readonly error: string; readonly code: string } {
    if (!(error instanceof Error)) return { error: describeThrown(error), code: 'unknown' };
    const { name, message, cause } = error;
    if (cause instanceof Error && cause.name === 'TimeoutError')
      return { error: `no answer within ${this.#longestMs} ms`, code: 'TimeoutError' };
    const code = 'code' in error && typeof error.code === 'string' ? error.code : name;
    return { error: `${code}: ${message}`, code };
  }
}

async function textOf(response: IncomingMessage): Promise<string> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  for await (const piece of response as AsyncIterable<Buffer>) {
    pieces.push(piece);
    // Leaving the loop closes the connection.
    if ((bytes += piece.length) >= LONGEST_ANSWER) break;
  }
  return Buffer.concat(pieces).toString();
}
