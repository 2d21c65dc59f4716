import { BlobServiceClient } from '@azure/storage-blob';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { freePort } from '../e2e/free-port.ts';

const MAIN = fileURLToPath(new URL('../../node_modules/azurite/dist/src/blob/main.js', import.meta.url));
/** Azurite's documentation names this account and key; they open nothing else. */
const ACCOUNT = 'devstoreaccount1';
const KEY = 'Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==';

/** A blob server for one test, with its data in a folder, so that it can be started again. */
export class Azurite {
  readonly port: number;
  readonly #folder = mkdtempSync(join(tmpdir(), 'azurite-'));
  #child: ChildProcess | undefined;

  private constructor(port: number) {
    this.port = port;
  }

  static async start(t: TestContext): Promise<Azurite> {
    const azurite = new Azurite(await freePort());
    t.after(() => azurite.#dispose());
    await azurite.start();
    return azurite;
  }

  async start(): Promise<void> {
    const args = ['--location', this.#folder, '--blobHost', '127.0.0.1', '--blobPort', String(this.port)];
    const child = spawn(process.execPath, [MAIN, ...args, '--disableTelemetry', '--skipApiVersionCheck', '--silent'], {
      cwd: this.#folder,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    this.#child = child;
    let said = '';
    await new Promise<void>((resolve, reject) => {
      child.stdout.on('data', (chunk: Buffer) => {
        said += chunk.toString();
        if (said.includes('successfully listens')) resolve();
      });
      child.once('exit', () => reject(new Error(`Azurite did not start: ${said}`)));
    });
  }

  /** With SIGTERM: after SIGKILL it has not written what it knows of blobs. */
  async stop(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined || child.exitCode !== null) return;
    const exited = once(child, 'exit');
    child.kill('SIGTERM');
    await exited;
  }

  /** @param port of something in between */
  connectionString(port = this.port): string {
    return `DefaultEndpointsProtocol=http;AccountName=${ACCOUNT};AccountKey=${KEY};BlobEndpoint=http://127.0.0.1:${port}/${ACCOUNT};`;
  }

  /** Names and contents of the blobs of a container. */
  async blobs(container = 'modeldata'): Promise<Map<string, Buffer>> {
    const client = BlobServiceClient.fromConnectionString(this.connectionString()).getContainerClient(container);
    const blobs = new Map<string, Buffer>();
    for await (const { name } of client.listBlobsFlat()) blobs.set(name, await client.getBlobClient(name).downloadToBuffer());
    return blobs;
  }

  async #dispose(): Promise<void> {
    await this.stop();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

export type Event = Record<string, unknown> & { readonly data: Record<string, unknown>[]; readonly correlationid: string };

/** The events of all JSON lines of a collection. */
export function eventsOf(blobs: ReadonlyMap<string, Buffer>, collection: string): Event[] {
  return [...blobs]
    .filter(([name]) => name.split('/')[2] === collection && name.endsWith('.jsonl'))
    .flatMap(([, data]) => data.toString().split('\n').slice(0, -1))
    .map((line) => JSON.parse(line) as Event);
}
