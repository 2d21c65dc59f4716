import { once } from 'node:events';
import { type ClientHttp2Session, type ClientHttp2Stream, connect, type IncomingHttpHeaders, type OutgoingHttpHeaders } from 'node:http2';

export const INFER = '/inference.GRPCInferenceService/ModelInfer';
export const MODEL_READY = '/inference.GRPCInferenceService/ModelReady';
export const CHECK = '/grpc.health.v1.Health/Check';
export const WATCH = '/grpc.health.v1.Health/Watch';

/** A message with its head. @param declared length in the head, which may be false */
export function framed(message: Buffer, { compressed = false, declared = message.length } = {}): Buffer {
  const head = Buffer.alloc(5, Number(compressed));
  head.writeUInt32BE(declared, 1);
  return Buffer.concat([head, message]);
}

/** The end of a call: gRPC's status, or `closed` if there was none. */
export interface End {
  readonly status: number | 'closed';
  readonly text: string;
  readonly metadata: IncomingHttpHeaders;
  readonly bytes: number;
}

/** A call that may break the rules of gRPC. */
export class RawCall {
  readonly stream: ClientHttp2Stream;
  readonly ended: Promise<End>;

  constructor(session: ClientHttp2Session, path: string, headers: OutgoingHttpHeaders = {}) {
    this.stream = session.request({ ':method': 'POST', ':path': path, 'content-type': 'application/grpc', te: 'trailers', ...headers });
    let [status, text, bytes]: [number | 'closed', string, number] = ['closed', '', 0];
    let metadata: IncomingHttpHeaders = {};
    const read = (from: IncomingHttpHeaders): void => {
      metadata = { ...metadata, ...from };
      if (from['grpc-status'] !== undefined) status = Number(from['grpc-status']);
      text = decodeURIComponent(String(from['grpc-message'] ?? text));
    };
    this.stream.on('response', read).on('trailers', read);
    this.stream.on('data', (data: Buffer) => (bytes += data.length));
    // The server may reset a call that it refuses.
    this.stream.on('error', () => undefined);
    this.ended = new Promise((resolve) => this.stream.on('close', () => resolve({ status, text, metadata, bytes })));
  }

  /** Sends a part; resolves when the server has taken it or the call is over. */
  async send(part: Buffer): Promise<void> {
    if (this.stream.closed || this.stream.destroyed) return;
    await new Promise<void>((resolve) => {
      this.stream.once('close', resolve);
      this.stream.write(part, () => {
        this.stream.off('close', resolve);
        resolve();
      });
    });
  }

  /** Sends the last part and waits for the end. */
  async finish(part: Buffer = Buffer.alloc(0)): Promise<End> {
    if (!this.stream.closed && !this.stream.destroyed) this.stream.end(part);
    return this.ended;
  }
}

/** A connection. Its errors are ignored: a test checks whether it is destroyed. */
export async function open(port: number): Promise<ClientHttp2Session> {
  // Node's client drops answers while it holds more megabytes than this.
  const session = connect(`http://127.0.0.1:${port}`, { maxSessionMemory: 1000 });
  session.on('error', () => undefined);
  await Promise.race([once(session, 'remoteSettings'), once(session, 'close')]);
  return session;
}

/** A connection for one action. */
export async function withSession<T>(port: number, action: (session: ClientHttp2Session) => Promise<T>): Promise<T> {
  const session = await open(port);
  try {
    return await action(session);
  } finally {
    session.destroy();
  }
}
