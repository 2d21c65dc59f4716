import {
  AccountSASPermissions,
  AccountSASResourceTypes,
  AccountSASServices,
  BlobServiceClient,
  ContainerSASPermissions,
  generateAccountSASQueryParameters,
  generateBlobSASQueryParameters,
  SASProtocol,
  StorageSharedKeyCredential,
  type ContainerClient,
} from '@azure/storage-blob';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { TestContext } from 'node:test';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { makeCertificate } from '../e2e/certificate.ts';
import { freePort } from '../e2e/free-port.ts';
import { folder } from '../set-up/folder.ts';
import { reaped } from '../set-up/reaper.ts';

const MAIN = fileURLToPath(new URL('../../node_modules/azurite/dist/src/blob/main.js', import.meta.url));
/** Azurite's documentation names this account and key; they open nothing else. */
const ACCOUNT = 'devstoreaccount1';
const KEY = 'Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==';

const SHARED_KEY = new StorageSharedKeyCredential(ACCOUNT, KEY);
/**
 * The permissions that the sink needs: create, add (append), write (whole files), read (lengths).
 */
const PERMISSIONS = 'racw';
const HOUR_MS = 3_600_000;

/** A blob server for one test, with its data in a folder, so that it can be started again. */
export class Azurite {
  readonly port: number;
  /** Undefined where it speaks plain HTTP. */
  readonly certificate: string | undefined;
  readonly #folder: string;
  readonly #args: readonly string[];
  #child: ChildProcess | undefined;

  private constructor(data: string, port: number, tokens: boolean) {
    this.#folder = data;
    this.port = port;
    const { key, certificate } = tokens ? makeCertificate(this.#folder) : { key: '', certificate: undefined };
    this.certificate = certificate;
    this.#args = certificate === undefined ? [] : ['--oauth', 'basic', '--key', key, '--cert', certificate];
    if (certificate !== undefined) setDefaultCACertificates([...getCACertificates(), readFileSync(certificate, 'utf8')]);
  }

  /** @param tokens takes tokens of an identity, too, and therefore speaks TLS */
  static async start(t: TestContext, tokens = false): Promise<Azurite> {
    const azurite = new Azurite(folder(), await freePort(), tokens);
    t.after(() => azurite.stop());
    await azurite.start();
    return azurite;
  }

  async start(): Promise<void> {
    const args = ['--location', this.#folder, '--blobHost', '127.0.0.1', '--blobPort', String(this.port), ...this.#args];
    const child = spawn(process.execPath, [MAIN, ...args, '--disableTelemetry', '--skipApiVersionCheck', '--silent'], {
      cwd: this.#folder,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    reaped(child);
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

  /** Stops it with SIGTERM, because after SIGKILL its index of blobs is not on disk. */
  async stop(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined || child.exitCode !== null) return;
    const exited = once(child, 'exit');
    child.kill('SIGTERM');
    await exited;
  }

  /** @param port of something in between */
  url(port = this.port): string {
    return `${this.certificate === undefined ? 'http' : 'https'}://127.0.0.1:${port}/${ACCOUNT}`;
  }

  /** @param port of something in between */
  connectionString(port = this.port): string {
    const url = this.url(port);
    return `DefaultEndpointsProtocol=${url.split(':')[0]};AccountName=${ACCOUNT};AccountKey=${KEY};BlobEndpoint=${url};`;
  }

  /**
   * A SAS of the account.
   * @param resourceTypes `c`: containers may be created, `o`: blobs may be written
   */
  accountSas(resourceTypes: string, expiresInMs = HOUR_MS): string {
    const values = {
      services: AccountSASServices.parse('b').toString(),
      resourceTypes: AccountSASResourceTypes.parse(resourceTypes).toString(),
      permissions: AccountSASPermissions.parse(PERMISSIONS),
      protocol: SASProtocol.HttpsAndHttp,
      expiresOn: new Date(Date.now() + expiresInMs),
    };
    return generateAccountSASQueryParameters(values, SHARED_KEY).toString();
  }

  /** A SAS of one container. */
  containerSas(containerName = 'modeldata'): string {
    const permissions = ContainerSASPermissions.parse(PERMISSIONS);
    const values = { containerName, permissions, protocol: SASProtocol.HttpsAndHttp, expiresOn: new Date(Date.now() + HOUR_MS) };
    return generateBlobSASQueryParameters(values, SHARED_KEY).toString();
  }

  container(name = 'modeldata'): ContainerClient {
    return BlobServiceClient.fromConnectionString(this.connectionString()).getContainerClient(name);
  }

  /** Names and contents of the blobs of a container. */
  async blobs(container = 'modeldata'): Promise<Map<string, Buffer>> {
    const client = this.container(container);
    const blobs = new Map<string, Buffer>();
    for await (const { name } of client.listBlobsFlat()) blobs.set(name, await client.getBlobClient(name).downloadToBuffer());
    return blobs;
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
