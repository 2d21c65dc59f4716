import { Agent as PlainAgent, request as plain, type IncomingMessage } from 'node:http';
import { Agent as SecureAgent, request as secure } from 'node:https';
import { text } from 'node:stream/consumers';

/** Where requests go, and what they need. */
export interface Target {
  readonly host: string;
  readonly port: number;
  /** The certificate that the server must show; undefined: it speaks no TLS. */
  readonly ca?: Buffer;
  readonly key?: string;
}

export interface Result {
  /** When it was sent, by `performance.now()`. */
  readonly at: number;
  /** The status; a text: why there is none. */
  readonly outcome: number | string;
  readonly closes: boolean;
}

const REQUEST_MS = 20;

/** Clients that keep a connection and send one request after another. */
export class Load {
  readonly results: Result[] = [];
  readonly #target: Target;
  readonly #clients: Promise<void>[];
  /** From then on no client opens a connection: no load balancer sends them here any more. */
  #closed = false;

  constructor(target: Target, clients: number) {
    this.#target = target;
    this.#clients = Array.from({ length: clients }, () => this.#client());
  }

  /** Lets clients use the connections that they have, and no other. */
  async finish(): Promise<void> {
    this.#closed = true;
    await Promise.all(this.#clients);
  }

  async #client(): Promise<void> {
    const agent = agentOf(this.#target);
    for (let open = false; open || !this.#closed;) {
      const result = await send(this.#target, REQUEST_MS, agent);
      this.results.push(result);
      open = !result.closes;
    }
    agent.destroy();
  }
}

function agentOf({ ca }: Target): PlainAgent {
  const options = { keepAlive: true, maxSockets: 1 };
  return ca === undefined ? new PlainAgent(options) : new SecureAgent({ ...options, ca });
}

/** Sends one request to a script that answers after so many milliseconds. */
export function send(target: Target, ms: number, agent = agentOf(target)): Promise<Result> {
  const at = performance.now();
  const headers = { 'content-type': 'application/json', ...(target.key === undefined ? {} : { authorization: `Bearer ${target.key}` }) };
  const options = { host: target.host, port: target.port, method: 'POST', path: '/score', headers, agent };
  return new Promise((resolve) => {
    const lost = (error: Error): void => resolve({ at, outcome: error.message, closes: true });
    const sent = target.ca === undefined ? plain(options) : secure(options);
    sent.once('error', lost);
    sent.once('response', (response: IncomingMessage) => {
      const closes = response.headers.connection === 'close';
      text(response).then(() => resolve({ at, outcome: response.statusCode ?? 0, closes }), lost);
    });
    sent.end(JSON.stringify(ms));
  });
}
