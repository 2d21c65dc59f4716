import { AnonymousCredential, BlobServiceClient, type AppendBlobClient, type ContainerClient, type RestError } from '@azure/storage-blob';
import { object } from '../../guards/checks.ts';
import { Taken, type Appendable, type Storage } from './append-sink.ts';
import type { Payload } from '../encode/block.ts';
import { CALL_TIMEOUT_MS, limited, SinkError, statusError } from './sink.ts';
import type { SinkSettings } from '../settings.ts';

/** The SDK retries nothing, because the writer does. */
const OPTIONS = { retryOptions: { maxTries: 1, tryTimeoutInMs: CALL_TIMEOUT_MS } };

/**
 * The blob was deleted, sealed or replaced, or its container was deleted. `create` makes the
 * missing ones.
 */
const GONE: ReadonlySet<string | undefined> = new Set(['BlobNotFound', 'ContainerNotFound', 'BlobIsSealed', 'InvalidBlobType']);
/**
 * Refusals that are temporary despite their status. A container that is being deleted can be made
 * again half a minute later.
 */
const PASSING: ReadonlySet<string | undefined> = new Set(['ContainerBeingDeleted']);

/**
 * The `azure-blob` sink: append blobs that only this process writes. Loaded only where it is used,
 * because it takes 0.2 s and 40 MB.
 */
export async function openBlobStorage(settings: Extract<SinkSettings, { kind: 'azure-blob' }>): Promise<Storage> {
  const { connectionString, accountUrl, container } = settings;
  if (connectionString !== '')
    return new BlobStorage(BlobServiceClient.fromConnectionString(connectionString, OPTIONS).getContainerClient(container));
  if (accountUrl.includes('?'))
    return new BlobStorage(new BlobServiceClient(accountUrl, new AnonymousCredential(), OPTIONS).getContainerClient(container));
  const { DefaultAzureCredential } = await import('@azure/identity');
  return new BlobStorage(new BlobServiceClient(accountUrl, new DefaultAzureCredential(), OPTIONS).getContainerClient(container));
}

class BlobStorage implements Storage {
  readonly name = 'azure-blob';
  readonly #container: ContainerClient;

  constructor(container: ContainerClient) {
    this.#container = container;
  }

  /** Without the SAS, because that is a key. */
  reference(name: string): string {
    return this.#container.getBlobClient(name).url.replace(/\?.*$/, '');
  }

  async create(name: string, signal: AbortSignal): Promise<Appendable | undefined> {
    const blob = this.#container.getAppendBlobClient(name);
    const abortSignal = limited(signal);
    try {
      await this.#inContainer(() => blob.create({ conditions: { ifNoneMatch: '*' }, abortSignal }), abortSignal);
      return new AppendBlob(blob);
    } catch (thrown) {
      if (codeOf(thrown) !== 'BlobAlreadyExists') throw blobError(name, thrown);
    }
    // An empty append blob is this process's own: the answer to its creation was lost.
    try {
      const { contentLength, blobType } = await blob.getProperties({ abortSignal });
      return contentLength === 0 && blobType === 'AppendBlob' ? new AppendBlob(blob) : undefined;
    } catch (thrown) {
      throw blobError(name, thrown);
    }
  }

  async put({ name, contentType, body }: Payload, signal: AbortSignal): Promise<void> {
    const blob = this.#container.getBlockBlobClient(name);
    const abortSignal = limited(signal);
    try {
      await this.#inContainer(() => blob.uploadData(body, { blobHTTPHeaders: { blobContentType: contentType }, abortSignal }), abortSignal);
    } catch (thrown) {
      throw blobError(name, thrown);
    }
  }

  async #inContainer<T>(call: () => Promise<T>, abortSignal: AbortSignal): Promise<T> {
    try {
      return await call();
    } catch (thrown) {
      if (codeOf(thrown) !== 'ContainerNotFound') throw thrown;
    }
    try {
      await this.#container.createIfNotExists({ abortSignal });
    } catch (thrown) {
      throw blobError(`the container ${this.#container.containerName} does not exist, and cannot be created`, thrown);
    }
    return call();
  }
}

/** Appends exactly once while this process runs: docs/data-collection.md. */
class AppendBlob implements Appendable {
  offset = 0;
  blocks = 0;
  readonly #blob: AppendBlobClient;

  constructor(blob: AppendBlobClient) {
    this.#blob = blob;
  }

  async append(pieces: readonly Buffer[], signal: AbortSignal): Promise<void> {
    const data = Buffer.concat(pieces);
    const abortSignal = limited(signal);
    try {
      await this.#blob.appendBlock(data, data.length, { conditions: { appendPosition: this.offset }, abortSignal });
    } catch (thrown) {
      if (GONE.has(codeOf(thrown))) throw new Taken(`${this.#blob.name}: ${codeOf(thrown)}`, { cause: thrown });
      if (codeOf(thrown) !== 'AppendPositionConditionNotMet') throw blobError(this.#blob.name, thrown);
      if (!(await this.#isAppended(data, abortSignal)))
        throw new SinkError('AppendPositionConditionNotMet', `${this.#blob.name}: refused at position ${this.offset}`, { cause: thrown });
    }
    this.offset += data.length;
    this.blocks++;
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  /** True where the append was done and its answer lost. @throws Taken */
  async #isAppended(data: Buffer, abortSignal: AbortSignal): Promise<boolean> {
    let length: number | undefined;
    try {
      ({ contentLength: length } = await this.#blob.getProperties({ abortSignal }));
    } catch (thrown) {
      if (isRestError(thrown) && thrown.statusCode === 404) throw new Taken(`${this.#blob.name} was deleted`, { cause: thrown });
      throw blobError(this.#blob.name, thrown);
    }
    if (length === this.offset + data.length) return true;
    if (length === this.offset) return false;
    throw new Taken(`${this.#blob.name}: expected ${this.offset} bytes, found ${length ?? 'none'}`);
  }
}

function codeOf(thrown: unknown): string | undefined {
  return isRestError(thrown) ? thrown.code : undefined;
}

/** By name, not by class, because npm may install several copies of the package that defines it. */
function isRestError(thrown: unknown): thrown is RestError {
  return thrown instanceof Error && thrown.name === 'RestError';
}

/** @param what the failed step, or the blob */
function blobError(what: string, thrown: unknown): SinkError {
  if (thrown instanceof SinkError) return thrown;
  const message = `${what}: ${reasonOf(thrown)}`;
  if (!isRestError(thrown) || thrown.statusCode === undefined)
    return new SinkError(codeOf(thrown) ?? (thrown instanceof Error ? thrown.name : 'unknown'), message, { cause: thrown });
  if (PASSING.has(thrown.code)) return new SinkError(thrown.code ?? '', message, { cause: thrown });
  return statusError(thrown.statusCode, message, thrown.response?.headers.get('retry-after'));
}

/**
 * An account's error has its reason in the first line, and sometimes a detail. The chain of
 * identities has a line for each one tried.
 */
function reasonOf(thrown: unknown): string {
  if (!(thrown instanceof Error)) return String(thrown);
  const lines = thrown.message.split('\n');
  if (!isRestError(thrown)) return lines.join(' ');
  const why = object(thrown.details) ? thrown.details['authenticationErrorDetail'] : undefined;
  const expired = expiryOf(thrown.request?.url);
  return [lines[0], typeof why === 'string' && why.split('\n')[0], expired !== undefined && `The SAS expired at ${expired}.`]
    .filter(Boolean)
    .join(' ');
}

/** Expiry of the SAS in an address; undefined where it has not expired, or there is none. */
function expiryOf(url: string | undefined): string | undefined {
  const expiry = URL.parse(url ?? '')?.searchParams.get('se') ?? '';
  return Date.parse(expiry) < Date.now() ? expiry : undefined;
}
