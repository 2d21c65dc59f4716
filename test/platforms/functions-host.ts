import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { Agent, request as sendRequest } from 'node:http';
import { dirname, join } from 'node:path';
import { freePort } from '../e2e/free-port.ts';
import { ServerProcess } from '../e2e/start-server.ts';
import { folder } from '../set-up/folder.ts';

/** Milliseconds between two polls of `GET /`. */
const POLL_MS = 25;

export interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly text: string;
}

/** What a function has answered, as the host reads it. */
export interface Invoked {
  readonly outputs: Readonly<Record<string, unknown>>;
  readonly logs: readonly string[];
  readonly returned: unknown;
}

export interface InvokeOptions {
  readonly metadata?: Record<string, unknown>;
  readonly id?: string;
  readonly signal?: AbortSignal;
}

/** A folder with these files. */
export function appOf(files: Readonly<Record<string, string>>): string {
  const app = folder();
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(app, name)), { recursive: true });
    writeFileSync(join(app, name), text);
  }
  return app;
}

/**
 * Plays the Functions host, as azure-functions-host has it (Workers/Http): its variables, its
 * polls, its envelopes, and how it reads and writes outputs.
 */
export class FunctionsHost {
  readonly server: ServerProcess;
  readonly port: number;
  readonly startedAt = performance.now();
  /** Times of polls until one was answered, and the time until then. */
  readonly answered: Promise<number>;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 64 });

  private constructor(app: string, port: number, env: Record<string, string>) {
    this.port = port;
    const variables = {
      FUNCTIONS_CUSTOMHANDLER_PORT: String(port),
      FUNCTIONS_HTTPWORKER_PORT: String(port),
      FUNCTIONS_CUSTOMHANDLER_WORKER_ID: randomUUID(),
      FUNCTIONS_APP_ROOT_PATH: app,
      FUNCTIONS_WORKER_RUNTIME: 'custom',
      // App Service sets it for the Functions host.
      PORT: '80',
    };
    this.server = new ServerProcess(['serve'], { cwd: app, env: { ...variables, ...env }, flags: [] });
    this.answered = this.#poll();
  }

  static async run(app: string, test: (host: FunctionsHost) => Promise<void>, env: Record<string, string> = {}): Promise<void> {
    const host = new FunctionsHost(app, await freePort(), env);
    try {
      await test(host);
    } finally {
      host.#agent.destroy();
      await host.server.stop();
    }
  }

  async #poll(): Promise<number> {
    for (;;) {
      const sentAt = performance.now();
      try {
        await this.#send('GET', '/');
        return performance.now() - this.startedAt;
      } catch {
        if (this.server.child.exitCode !== null) return NaN;
        await new Promise((resolve) => setTimeout(resolve, Math.max(0, POLL_MS - (performance.now() - sentAt))));
      }
    }
  }

  /** A request as it is. The host sends none before a poll was answered. */
  async send(
    ...request: [method: string, path: string, headers?: Record<string, string>, body?: string, signal?: AbortSignal]
  ): Promise<Reply> {
    await this.answered;
    return this.#send(...request);
  }

  /** The server has read what was sent before: it answers what comes later. */
  async readAll(): Promise<void> {
    for (let polls = 0; polls < 3; polls++) await this.send('GET', '/');
  }

  #send(method: string, path: string, headers: Record<string, string> = {}, body = '', signal?: AbortSignal): Promise<Reply> {
    return new Promise((resolve, reject) => {
      const length = body === '' ? {} : { 'content-length': String(Buffer.byteLength(body)) };
      const sent = sendRequest(
        { host: '127.0.0.1', port: this.port, method, path, agent: this.#agent, headers: { ...headers, ...length }, signal },
        (answer) => {
          const pieces: Buffer[] = [];
          answer.on('data', (piece: Buffer) => pieces.push(piece));
          answer.on('error', reject);
          answer.on('end', () =>
            resolve({ status: answer.statusCode ?? 0, headers: answer.headers, text: Buffer.concat(pieces).toString() }),
          );
        },
      );
      sent.on('error', reject);
      sent.end(body);
    });
  }

  /** The reply to an invocation, whatever its status. */
  post(name: string, data: Record<string, unknown>, { metadata = {}, id = randomUUID(), signal }: InvokeOptions = {}): Promise<Reply> {
    const sys = { MethodName: name, UtcNow: new Date().toISOString(), RandGuid: randomUUID() };
    return this.send(
      'POST',
      `/${name}`,
      {
        'content-type': 'application/json; charset=utf-8',
        'x-azure-functions-hostversion': '4.1036.1.0',
        'x-azure-functions-invocationid': id,
        'user-agent': 'Azure-Functions-Host/4.1036.1.0',
      },
      JSON.stringify({ Data: data, Metadata: { ...metadata, sys } }),
      signal,
    );
  }

  /** An invocation that the host takes as a success. */
  async invoke(name: string, data: Record<string, unknown>, options?: InvokeOptions): Promise<Invoked> {
    const reply = await this.post(name, data, options);
    assert.equal(reply.status, 200, reply.text);
    const { Outputs, Logs, ReturnValue } = JSON.parse(reply.text) as Record<string, unknown>;
    assert.ok(Outputs !== null && typeof Outputs === 'object' && Array.isArray(Logs));
    return { outputs: Outputs as Record<string, unknown>, logs: Logs as string[], returned: ReturnValue };
  }
}

/** A text as the host puts it into Data: JSON in a string. */
export const textData = (text: string): string => JSON.stringify(text);

/** Bytes as the host puts them into Data. */
export const binaryData = (bytes: Buffer): string => bytes.toString('base64');

/**
 * The bytes that the host writes to a blob for an output, as ConvertValueToStream has it: it takes
 * a text for base64 first, and a number for its bytes in memory.
 */
export function blobOf(value: unknown): Buffer {
  if (typeof value === 'string') return isBase64(value) ? Buffer.from(value, 'base64') : Buffer.from(value);
  if (typeof value === 'boolean') return Buffer.from([Number(value)]);
  if (typeof value !== 'number') return Buffer.from(JSON.stringify(value));
  const bytes = Buffer.alloc(Number.isInteger(value) ? 4 : 8);
  if (Number.isInteger(value)) bytes.writeInt32LE(Math.trunc(value) % 2 ** 31);
  else bytes.writeDoubleLE(value);
  return bytes;
}

/** As Convert.FromBase64String, which skips white space. */
function isBase64(value: string): boolean {
  const text = value.replaceAll(/[ \t\r\n]/g, '');
  return text.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(text);
}
