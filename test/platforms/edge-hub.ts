import { createHmac, randomBytes } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { join } from 'node:path';
import { createServer, type Server } from 'node:tls';
import { pathToFileURL } from 'node:url';
import { folder } from '../set-up/folder.ts';
import { makePair, type TlsPair } from '../set-up/tls-files.ts';
import { installed } from './installed.ts';

const HUB = 'hub.test';
const DEVICE = 'device';
const MODULE = 'scorer';
const CLIENT = `${DEVICE}/${MODULE}`;

/** The part of aedes that the tests use. */
interface Packet {
  readonly topic: string;
  readonly payload: Buffer;
}
interface Client {
  readonly id: string;
}
interface Broker extends EventEmitter {
  handle(connection: Socket): unknown;
  publish(packet: { topic: string; payload: Buffer; qos: 1 }, done: (error?: Error) => void): void;
  close(done: () => void): void;
}
type Decide = (client: Client, packet: Packet, done: (error: Error | null) => void) => void;
interface AedesOptions {
  readonly drainTimeout: number;
  readonly authenticate: (client: Client, name: string, password: Buffer | undefined, done: (error: null, ok: boolean) => void) => void;
  readonly authorizePublish: Decide;
}

/** A message for the module. */
export interface Sent {
  readonly body: string | Buffer;
  /** System properties as `$.mid`, and properties of the application; or their text. */
  readonly properties?: Readonly<Record<string, string>> | string;
  readonly input?: string;
}

/** An answer of the module. */
export interface Answer {
  readonly body: Buffer;
  readonly text: string;
  readonly properties: Readonly<Record<string, string>>;
}

/**
 * Plays edgeHub over a real MQTT broker and TLS: it keeps the session and the messages of the
 * module, and sends the next message once the one before is acknowledged.
 */
export class EdgeHub {
  readonly answers: Answer[] = [];
  /** Topics of messages in the order of their acknowledgements. */
  readonly acknowledged: string[] = [];
  /** Deliveries that the tests asked for. */
  sent = 0;
  connections = 0;
  /** Resolves before an answer is taken; a test puts its own here. */
  beforeTaken: (answer: Answer) => Promise<void> | void = () => undefined;
  readonly key = randomBytes(32);
  readonly certificate: string;
  readonly #events = new EventEmitter().setMaxListeners(0);
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #broker: Broker;
  #subscribed = false;
  #port = 0;

  private constructor(broker: Broker, pair: TlsPair) {
    this.certificate = pair.certificate;
    this.#broker = broker;
    this.#server = createServer({ key: readFileSync(pair.key), cert: readFileSync(pair.certificate), noDelay: true }, (socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
      socket.on('error', () => undefined);
      broker.handle(socket);
    });
    broker.on('client', () => this.connections++);
    broker.on('subscribe', () => {
      this.#subscribed = true;
      this.#events.emit('change');
    });
    broker.on('ack', (packet: Packet | undefined) => {
      if (packet !== undefined) this.acknowledged.push(packet.topic);
      this.#events.emit('change');
    });
  }

  static async open(): Promise<EdgeHub> {
    const cache = await installed(join(import.meta.dirname, 'edge-hub'));
    const { Aedes } = (await import(pathToFileURL(join(cache, 'node_modules/aedes/aedes.js')).href)) as {
      Aedes: { createBroker(options: AedesOptions): Promise<Broker> };
    };
    const made: { hub?: EdgeHub } = {};
    const broker = await Aedes.createBroker({
      drainTimeout: 0,
      authenticate: (client, name, password, done) => done(null, made.hub!.#knows(client, name, String(password))),
      authorizePublish: (_client, packet, done) => made.hub!.#published(packet, done),
    });
    made.hub = new EdgeHub(broker, makePair(folder(), 'edge-hub'));
    await made.hub.start();
    return made.hub;
  }

  /** Environment of the module, as the simulator sets it. */
  get env(): Record<string, string> {
    const key = this.key.toString('base64');
    return {
      EdgeHubConnectionString: `HostName=${HUB};DeviceId=${DEVICE};ModuleId=${MODULE};SharedAccessKey=${key};GatewayHostName=127.0.0.1:${this.#port}`,
      EdgeModuleCACertificateFile: this.certificate,
      DRAIN_DELAY_MS: '0',
    };
  }

  get gateway(): string {
    return `127.0.0.1:${this.#port}`;
  }

  /** Listens, again on the same port. */
  async start(): Promise<void> {
    this.#server.listen(this.#port, '127.0.0.1');
    await once(this.#server, 'listening');
    this.#port = (this.#server.address() as AddressInfo).port;
  }

  /** Ends every connection and listens no more. Sessions and messages stay. */
  async stop(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.cut();
    await closed;
  }

  /** Ends every connection. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  async close(): Promise<void> {
    if (this.#server.listening) await this.stop();
    await new Promise<void>((resolve) => this.#broker.close(resolve));
  }

  /** Resolves once the module has subscribed. */
  async subscribed(): Promise<void> {
    await this.#until(() => this.#subscribed);
  }

  /** Gives the broker a message for the module, and does not wait for its acknowledgement. */
  async post({ body, properties = {}, input = 'amlInput' }: Sent): Promise<string> {
    this.sent++;
    const text = typeof properties === 'string' ? properties : encoded({ ...properties, '$.cdid': DEVICE, '$.cmid': 'source' });
    const topic = `devices/${DEVICE}/modules/${MODULE}/inputs/${input}/${text}`;
    await new Promise<void>((resolve, reject) =>
      this.#broker.publish({ topic, payload: Buffer.from(body), qos: 1 }, (error) => (error ? reject(error) : resolve())),
    );
    return topic;
  }

  /** As edgeHub does: resolves once the message is acknowledged. */
  async deliver(sent: Sent): Promise<void> {
    const before = this.acknowledged.length;
    const topic = await this.post(sent);
    await this.#until(() => this.acknowledged.slice(before).includes(topic));
  }

  /** Resolves with the answers once there are so many. */
  async answered(many: number): Promise<readonly Answer[]> {
    await this.#until(() => this.answers.length >= many);
    return this.answers;
  }

  /** Resolves once so many messages are acknowledged. */
  async acknowledgedAll(many: number): Promise<void> {
    await this.#until(() => this.acknowledged.length >= many);
  }

  async #until(condition: () => boolean): Promise<void> {
    while (!condition()) await once(this.#events, 'change');
  }

  /** Checks what the SDK signs, as edgeHub does. */
  #knows({ id }: Client, name: string, password: string): boolean {
    const [, fields = ''] = password.split('SharedAccessSignature ');
    const { sr = '', sig, se = '' } = Object.fromEntries(new URLSearchParams(fields));
    const signed = createHmac('sha256', this.key)
      .update(`${encodeURIComponent(sr)}\n${se}`)
      .digest('base64');
    return id === CLIENT && name.startsWith(`${HUB}/${CLIENT}/?`) && sr === `${HUB}/devices/${DEVICE}/modules/${MODULE}` && sig === signed;
  }

  #published({ topic, payload }: Packet, done: (error: Error | null) => void): void {
    const [, given] = new RegExp(`^devices/${DEVICE}/modules/${MODULE}/messages/events/([^/]*)/$`).exec(topic) ?? [];
    if (given === undefined) return done(new Error(`the module published on ${topic}`));
    const answer = { body: payload, text: payload.toString(), properties: Object.fromEntries(new URLSearchParams(given)) };
    void (async () => {
      await this.beforeTaken(answer);
      this.answers.push(answer);
      done(null);
      this.#events.emit('change');
    })();
  }
}

function encoded(properties: Readonly<Record<string, string>>): string {
  return Object.entries(properties)
    .map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`)
    .join('&');
}

interface WorkloadApi {
  readonly env: Record<string, string>;
  readonly calls: string[];
  /** It signs nothing. */
  broken: boolean;
  close(): void;
}

/** Plays the workload API of the IoT Edge runtime: it signs, and names the certificate to trust. */
export async function workloadApi(hub: EdgeHub): Promise<WorkloadApi> {
  const socket = join(folder(), 'workload.sock');
  const server = createHttpServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const [path = ''] = (request.url ?? '').split('?');
      api.calls.push(`${request.method} ${path}`);
      response.setHeader('content-type', 'application/json');
      if (path === '/trust-bundle') return response.end(JSON.stringify({ certificate: readFileSync(hub.certificate, 'utf8') }));
      if (api.broken || path !== `/modules/${MODULE}/genid/1/sign`) return response.writeHead(500).end('{}');
      const { data } = JSON.parse(Buffer.concat(chunks).toString()) as { data: string };
      return response.end(JSON.stringify({ digest: createHmac('sha256', hub.key).update(Buffer.from(data, 'base64')).digest('base64') }));
    });
  });
  const env = {
    IOTEDGE_WORKLOADURI: `unix://${socket}`,
    IOTEDGE_DEVICEID: DEVICE,
    IOTEDGE_MODULEID: MODULE,
    IOTEDGE_MODULEGENERATIONID: '1',
    IOTEDGE_IOTHUBHOSTNAME: HUB,
    IOTEDGE_AUTHSCHEME: 'sasToken',
    IOTEDGE_GATEWAYHOSTNAME: hub.gateway,
    DRAIN_DELAY_MS: '0',
  };
  const api: WorkloadApi = { calls: [], broken: false, env, close: () => server.close() };
  server.listen(socket);
  await once(server, 'listening');
  return api;
}
