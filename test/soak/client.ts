import { Agent, request, type ClientRequest } from 'node:http';

/**
 * How a request may end. `reset` is the one that must not happen: the connection broke, and the
 * client had not left.
 */
export const classes = ['2xx', '4xx', '500', '502', '503', '504', 'truncated', 'left', 'reset'] as const;
export type Class = (typeof classes)[number];

interface Asked {
  readonly body: Buffer;
  readonly contentType: string;
  /** The client leaves after so many milliseconds, if there is no answer yet. */
  readonly leavesAfterMs?: number;
}

/** One connection that asks for one thing after another. */
export class Client {
  readonly answers = Object.fromEntries(classes.map((name) => [name, 0])) as Record<Class, number>;
  sent = 0;
  readonly #url: string;
  readonly #next: () => number;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 });

  constructor(url: string, next: () => number) {
    this.#url = `${url}/score`;
    this.#next = next;
  }

  async run(running: () => boolean): Promise<void> {
    while (running()) {
      this.sent++;
      this.answers[await this.#ask(choose(this.#next))]++;
    }
    this.#agent.destroy();
  }

  #ask({ body, contentType, leavesAfterMs }: Asked): Promise<Class> {
    return new Promise((resolve) => {
      let left = false;
      const sent: ClientRequest = request(this.#url, {
        method: 'POST',
        agent: this.#agent,
        headers: { 'content-type': contentType, 'content-length': body.length },
      });
      const timer =
        leavesAfterMs === undefined
          ? undefined
          : setTimeout(() => {
              left = true;
              sent.destroy();
            }, leavesAfterMs);
      const end = (how: Class): void => {
        clearTimeout(timer);
        resolve(left ? 'left' : how);
      };
      sent.once('error', () => end('reset'));
      sent.once('response', (response) => {
        const { statusCode = 0 } = response;
        response.resume();
        response.once('end', () => end(classOf(statusCode)));
        // A stream that breaks off can be told in no other way.
        response.once('error', () => end('truncated'));
      });
      sent.end(body);
    });
  }
}

function classOf(status: number): Class {
  if (status < 300) return '2xx';
  if (status < 500) return '4xx';
  return status === 502 || status === 503 || status === 504 ? `${status}` : '500';
}

/** Mostly small requests, and some of everything else. */
function choose(next: () => number): Asked {
  const way = next();
  const json = (value: object): Asked => ({ body: Buffer.from(JSON.stringify(value)), contentType: 'application/json' });
  if (way < 0.7) return json({ kind: 'echo', size: Math.floor(next() * 1000) });
  if (way < 0.78) return json({ kind: 'echo', pad: 'z'.repeat(Math.floor(next() * 100_000)) });
  if (way < 0.84) return json({ kind: 'large', size: Math.floor(next() * 100_000) });
  if (way < 0.9) return json({ kind: 'stream', size: Math.floor(next() * 40) });
  if (way < 0.95) return json({ kind: 'sleep', size: Math.floor(next() * 50) });
  if (way < 0.96) return json({ kind: 'throw' });
  if (way < 0.98) return { ...json({ kind: 'sleep', size: 200 }), leavesAfterMs: next() * 100 };
  return { body: Buffer.from('{"kind": "ec'), contentType: 'application/json' };
}
