import assert from 'node:assert/strict';
import { connect, type Socket } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { ServerProcess } from '../e2e/start-server.ts';
import { until } from '../set-up/until.ts';
import { kinds, missing, Proxy } from './proxies.ts';
import { shapes, type Shape } from './shapes.ts';

/** How the bytes of a shape leave the client. */
const ways: Record<string, (text: string) => readonly string[]> = {
  'in one packet': (text) => [text],
  'head and body apart': (text) => [text.slice(0, text.indexOf('\r\n\r\n') + 4), text.slice(text.indexOf('\r\n\r\n') + 4)],
  'in small pieces': (text) => text.match(/[^]{1,7}/g) ?? [],
};

/** Answers to the shapes of one connection. */
interface Answers {
  readonly statuses: readonly number[];
  readonly text: string;
  readonly closed: boolean;
}

/** A client that sends any bytes. */
class RawClient {
  readonly #socket: Socket;
  #text = '';
  #closed = false;
  #changed = (): void => undefined;

  constructor(port: number) {
    this.#socket = connect({ port, host: '127.0.0.1', noDelay: true }).setEncoding('latin1');
    this.#socket.on('data', (piece: string) => {
      this.#text += piece;
      this.#changed();
    });
    this.#socket.on('error', () => undefined);
    this.#socket.on('close', () => {
      this.#closed = true;
      this.#changed();
    });
  }

  async send(pieces: readonly string[]): Promise<void> {
    for (const piece of pieces) {
      await new Promise<void>((resolve) => void this.#socket.write(piece, 'latin1', () => resolve()));
    }
  }

  /** Resolves when so many answers have come, or the connection has ended. */
  async answers(count: number): Promise<Answers> {
    for (;;) {
      const statuses = Array.from(this.#text.matchAll(/HTTP\/1\.[01] (\d+) [^]*?\r\n\r\n/g), ([, status]) => Number(status)).filter(
        (status) => status >= 200,
      );
      if (this.#closed || statuses.length >= count) return { statuses, text: this.#text, closed: this.#closed };
      await new Promise<void>((resolve) => (this.#changed = resolve));
    }
  }

  close(): void {
    this.#socket.destroy();
  }
}

/** A server whose script logs each request that runs. */
class Target {
  readonly server = new ServerProcess(['--entry-script', 'runs.ts']);
  /** Requests of shapes that ran. */
  shapes = 0;
  #checks = 0;
  #read = 0;

  static async start(): Promise<Target> {
    const target = new Target();
    await target.server.ready();
    return target;
  }

  /**
   * The ids of the requests that ran since the last call. A request of its own shows that all
   * before it have run.
   */
  async ran(): Promise<string[]> {
    const check = `check-${this.#checks++}`;
    await (await fetch(await this.server.url(`/score?id=${check}`))).text();
    await this.server.said(`ran /score?id=${check}`);
    const { lines } = this.server;
    const ids = lines.slice(this.#read).flatMap(({ msg }) => /^ran .*id=(\S*)/.exec(msg)?.[1] ?? []);
    this.#read = lines.length;
    this.shapes += ids.filter((id) => id === 'first').length;
    return ids.filter((id) => id !== check);
  }
}

/** A request of its own, on the connection of a shape. */
const NEXT = 'GET /score?id=next HTTP/1.1\r\nHost: x\r\n\r\n';

/** What a shape does at the server itself, where that is not its verdict. */
async function wrongVerdict(target: Target, { name, verdict }: Shape, pieces: readonly string[]): Promise<string | undefined> {
  const client = new RawClient(await target.server.port());
  await client.send(pieces);
  await client.answers(1);
  await client.send([NEXT]);
  const { statuses, text } = await client.answers(verdict === 'refused' ? 1 : 2);
  const ran = (await target.ran()).join();
  client.close();
  const right =
    verdict === 'refused'
      ? statuses.join() === '400' && ran === '' && /\r\nConnection: close\r\n/i.test(text)
      : statuses.join() === '200,200' && ran === 'first,next' && text.includes(`"data":${JSON.stringify(verdict.one)}`);
  return right ? undefined : `${name}: ${statuses.join()} ran ${ran}: ${text}`;
}

describe('a request whose end is ambiguous', () => {
  let target: Target;
  before(async () => (target = await Target.start()));
  after(() => target.server.stop());

  for (const [way, split] of Object.entries(ways))
    it(`is refused with 400 and the end of its connection, or is one request, sent ${way}`, async () => {
      const wrong: string[] = [];
      for (const shape of shapes) wrong.push((await wrongVerdict(target, shape, split(shape.text))) ?? '');
      assert.deepEqual(wrong.filter(Boolean), []);
    });
});

/** A line of a proxy's log comes within this time. */
const LOG_MS = 5000;
/** Shapes that both proxies take at least: else the test would show nothing. */
const PASSED = 20;

/** What a shape does at a proxy: which requests the proxy meant, and which ran. */
async function throughProxy(target: Target, proxy: Proxy, { name }: Shape, pieces: readonly string[]): Promise<string | undefined> {
  const client = new RawClient(proxy.port);
  await client.send(pieces);
  await client.answers(1);
  const victims = ['a', 'b', 'c'].map((id) => `${id}-victim`);
  const answers: string[] = [];
  // One after another: each may get the connection to the server that the shape has used.
  for (const id of victims) answers.push(await (await fetch(proxy.url(`/score?id=${id}`))).text());
  client.close();
  const ran = await target.ran();
  let meant = '';
  const unmeant = (): string[] => ran.filter((id) => occurrences(ran, id) > meant.split(`id=${id} `).length - 1);
  const late = AbortSignal.timeout(LOG_MS);
  // The proxy logs a request after it has sent the answer.
  await until(() => {
    meant += proxy.newLines().join('\n');
    return unmeant().length === 0 || late.aborted;
  });
  const wrong = [
    ...victims.filter((id, place) => !answers[place]?.includes(`"url":"/score?id=${id}"`)).map((id) => `${id} got ${answers.join()}`),
    ...unmeant().map((id) => `${id} ran, but the proxy did not mean it`),
  ];
  return wrong.length === 0 ? undefined : `${name}: ${wrong.join('; ')}\n${meant}`;
}

const occurrences = (list: readonly string[], item: string): number => list.filter((each) => each === item).length;

for (const kind of kinds)
  describe(`behind ${kind}, a request whose end is ambiguous`, { skip: missing(kind) }, () => {
    let target: Target;
    before(async () => (target = await Target.start()));
    after(() => target.server.stop());

    for (const [way, split] of Object.entries(ways))
      it(`runs as often as the proxy means it, and reaches no other client, sent ${way}`, async (t) => {
        const proxy = await Proxy.start(t, kind, { servers: [await target.server.port()] });
        const wrong: string[] = [];
        const earlier = target.shapes;
        for (const shape of shapes) wrong.push((await throughProxy(target, proxy, shape, split(shape.text))) ?? '');
        assert.deepEqual(wrong.filter(Boolean), []);
        assert.ok(target.shapes - earlier >= PASSED, `${target.shapes - earlier} shapes passed the proxy`);
      });
  });
