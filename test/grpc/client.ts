import { Client, type ClientOptions, credentials, Metadata, type ServiceError } from '@grpc/grpc-js';
import { readFileSync } from 'node:fs';
import protobuf from 'protobufjs';

const { root } = protobuf.parse(readFileSync(new URL('inference.proto', import.meta.url), 'utf8'), { keepCase: true });

/** A message as bytes. */
export const write = (type: string, message: object): Buffer =>
  Buffer.from(root.lookupType(type).encode(root.lookupType(type).fromObject(message)).finish());

/**
 * Bytes as a plain object: 64-bit numbers as text, bytes as Buffer, enums by name, empty lists left
 * out.
 */
export const read = (type: string, bytes: Uint8Array): Record<string, unknown> =>
  root.lookupType(type).toObject(root.lookupType(type).decode(bytes), { longs: String, enums: String });

export interface Answer {
  readonly message: Record<string, unknown>;
  readonly metadata: Metadata;
}

const HEALTH = 'grpc.health.v1.Health';

/** A client of one server, which reads and writes messages by their .proto file. */
export class GrpcClient {
  readonly client: Client;

  /** @param at a port of 127.0.0.1, or another address */
  constructor(at: number | string, how = credentials.createInsecure(), options: ClientOptions = {}) {
    this.client = new Client(typeof at === 'number' ? `127.0.0.1:${at}` : at, how, options);
  }

  /** Calls an RPC by its name; rejects with a ServiceError. */
  call(name: string, message: object | Buffer = {}, given: Record<string, string> = {}, deadline?: Date): Promise<Answer> {
    const metadata = new Metadata();
    for (const [key, value] of Object.entries(given)) metadata.set(key, value);
    const path = name === 'Check' ? `/${HEALTH}/Check` : `/inference.GRPCInferenceService/${name}`;
    const serialize = (value: object): Buffer => (Buffer.isBuffer(value) ? value : write(`${name}Request`, value));
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    let initial = new Metadata();
    const call = this.client.makeUnaryRequest(
      path,
      serialize,
      (bytes) => read(`${name}Response`, bytes),
      message,
      metadata,
      deadline === undefined ? {} : { deadline },
      (error, value) => (error === null ? resolve({ message: value ?? {}, metadata: initial }) : reject(error)),
    );
    call.on('metadata', (received: Metadata) => (initial = received));
    this.cancel = () => call.cancel();
    return promise;
  }

  /** Cancels the last call. */
  cancel: () => void = () => undefined;

  /** The error of a call that must fail. */
  async error(name: string, message: object | Buffer, given?: Record<string, string>, deadline?: Date): Promise<ServiceError> {
    return this.call(name, message, given, deadline).then(
      () => Promise.reject(new Error(`${name}: expected an error`)),
      (error: ServiceError) => error,
    );
  }

  /** The statuses that Watch sends, one after another. */
  async *watch(service = ''): AsyncGenerator {
    const call = this.client.makeServerStreamRequest(
      `/${HEALTH}/Watch`,
      (value: object) => write('CheckRequest', value),
      (bytes) => read('CheckResponse', bytes),
      { service },
    );
    for await (const { status } of call as AsyncIterable<{ status: unknown }>) yield status;
  }

  close(): void {
    this.client.close();
  }
}
