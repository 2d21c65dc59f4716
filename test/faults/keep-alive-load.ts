import { connect, type Socket } from 'node:net';

/** Answers by status, and what was sent without getting one. */
export interface Tally {
  sent: number;
  readonly answered: Map<number, number>;
  /** Connections that ended before the answer to a request had come. */
  resets: number;
}

interface Load {
  readonly port: number;
  readonly connections: number;
  /** Of each connection. */
  readonly requests: number;
  /** The body of a request; undefined: an ordinary one. */
  readonly body?: (sent: number) => string | undefined;
}

/**
 * Sends requests over connections that are kept, one at a time on each, and takes what comes back.
 */
export async function keepAliveLoad({ port, connections, requests, body }: Load): Promise<Tally> {
  const tally: Tally = { sent: 0, answered: new Map(), resets: 0 };
  const one = async (): Promise<void> => {
    let client: Client | undefined;
    for (let count = 0; count < requests; count++) {
      client ??= await Client.open(port);
      tally.sent++;
      const text = body?.(tally.sent) ?? '[1]';
      const answer = await client.exchange(text);
      if (answer === undefined) tally.resets++;
      else tally.answered.set(answer.status, (tally.answered.get(answer.status) ?? 0) + 1);
      if (answer?.keep !== true) {
        client.close();
        client = undefined;
      }
    }
    client?.close();
  };
  await Promise.all(Array.from({ length: connections }, one));
  return tally;
}

export interface Answer {
  readonly status: number;
  readonly keep: boolean;
  /** Status line and headers, in small letters. */
  readonly head: string;
}

/** A connection that knows just enough of HTTP. */
export class Client {
  readonly #socket: Socket;
  #text = '';
  #done: ((answer: Answer | undefined) => void) | undefined;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setNoDelay(true).setEncoding('latin1');
    socket.on('data', (chunk: string) => this.#take(chunk));
    socket.on('error', () => undefined);
    socket.on('close', () => this.#done?.(undefined));
  }

  /** The server or the client has closed it. */
  get closed(): boolean {
    return this.#socket.destroyed;
  }

  static open(port: number): Promise<Client> {
    return new Promise((resolve, reject) => {
      const socket = connect(port, '127.0.0.1', () => resolve(new Client(socket)));
      socket.once('error', reject);
    });
  }

  /** Scores once; undefined: the connection ended before the whole answer. */
  exchange(body: string): Promise<Answer | undefined> {
    return new Promise((resolve) => {
      this.#done = resolve;
      if (this.#socket.destroyed) return resolve(undefined);
      this.#socket.write(
        `POST /score HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
      );
    });
  }

  close(): void {
    this.#done = undefined;
    this.#socket.destroy();
  }

  #take(chunk: string): void {
    this.#text += chunk;
    const end = this.#text.indexOf('\r\n\r\n');
    if (end < 0) return;
    const head = this.#text.slice(0, end).toLowerCase();
    const length = Number(/content-length: (\d+)/.exec(head)?.[1] ?? 0);
    if (this.#text.length < end + 4 + length) return;
    this.#text = this.#text.slice(end + 4 + length);
    const done = this.#done;
    this.#done = undefined;
    done?.({ status: Number(head.slice(9, 12)), keep: !head.includes('connection: close'), head });
  }
}
