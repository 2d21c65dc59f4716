import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import type { Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { describeThrown } from '../../errors.ts';

/** A service that takes longer hangs. */
const LONGEST_MS = 10_000;
const MOST_REDIRECTS = 10;

/** How a POST ended. */
export type PostResult =
  | { readonly status: number; readonly text: string; readonly retryAfter: string | undefined }
  /** @param sent whether the service may have received it */
  | { readonly error: string; readonly sent: boolean };

/** Variables that name proxies: https_proxy, http_proxy, no_proxy, in either case. */
type ProxyEnv = Readonly<Record<string, string | undefined>>;

/** POSTs to one address, over one connection that stays open. */
export class Poster {
  /** The target of the last redirect. */
  #url: string;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #agents: { readonly http: HttpAgent; readonly https: HttpsAgent };

  readonly #longestMs: number;

  constructor(url: string, headers: Readonly<Record<string, string>>, proxies: ProxyEnv, longestMs = LONGEST_MS) {
    this.#url = url;
    this.#headers = headers;
    this.#longestMs = longestMs;
    const options = { keepAlive: true, maxSockets: 1, proxyEnv: { ...proxies } };
    this.#agents = { http: new HttpAgent(options), https: new HttpsAgent(options) };
  }

  /** One after the other. Never rejects. */
  async post(body: Uint8Array): Promise<PostResult> {
    for (let redirects = 0; ; redirects++) {
      const result = await this.#once(body);
      if (!('location' in result)) return result;
      if (redirects === MOST_REDIRECTS)
        return { error: `more than ${MOST_REDIRECTS} redirects, the last to ${result.location}`, sent: false };
      this.#url = result.location;
    }
  }

  async #once(body: Uint8Array): Promise<PostResult | { readonly location: string }> {
    const url = new URL(this.#url);
    const secure = url.protocol === 'https:';
    let sent = false;
    try {
      const response = await new Promise<IncomingMessage>((resolve, reject) => {
        const headers = { ...this.#headers, 'content-length': body.length };
        const options = { method: 'POST', headers, signal: AbortSignal.timeout(this.#longestMs) };
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
      const answer = await text(response);
      if ((status === 307 || status === 308) && headers.location !== undefined) return { location: new URL(headers.location, url).href };
      return { status, text: answer, retryAfter: headers['retry-after'] };
    } catch (error) {
      return { error: this.#describe(error), sent };
    }
  }

  #describe(error: unknown): string {
    if (!(error instanceof Error)) return describeThrown(error);
    const { name, message, cause } = error;
    if (cause instanceof Error && cause.name === 'TimeoutError') return `no answer within ${this.#longestMs} ms`;
    return `${'code' in error && typeof error.code === 'string' ? error.code : name}: ${message}`;
  }
}
