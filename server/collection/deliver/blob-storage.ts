import { AnonymousCredential, BlobServiceClient, type AppendBlobClient, type ContainerClient, type RestError } from '@azure/storage-blob';
import { Taken, type Appendable, type Storage } from './append-sink.ts';
import type { Payload } from '../encode/block.ts';
import { SinkError, statusError } from './sink.ts';
import type { SinkSettings } from '../settings.ts';

/** A call that gets no answer is a failure. */
const CALL_TIMEOUT_MS = 30_000;
/** One policy of retries is enough: the writer's. */
const OPTIONS = { retryOptions: { maxTries: 1, tryTimeoutInMs: CALL_TIMEOUT_MS } };

/** Somebody has deleted, sealed or replaced the blob, or deleted its container: `create` makes what is missing. */
const GONE: ReadonlySet<string | undefined> = new Set(['BlobNotFound', 'ContainerNotFound', 'BlobIsSealed', 'InvalidBlobType']);
/** Refusals that pass although their status says otherwise: a container that is being deleted can be made again half a minute later. */
const PASSING: ReadonlySet<string | undefined> = new Set(['ContainerBeingDeleted']);

/** The `azure-blob` sink: append blobs, one writer each. Loaded only where it is used: it takes 0.2 s and 40 MB. */
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

  /** Without the SAS, which is a key. */
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
    // Ours, when the answer to its creation was lost: nobody has written to it.
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

/** Exactly once, as long as this process lives: reference/data-collection.md, section 9. */
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

  /** True when an append whose answer was lost has been done. @throws Taken */
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

const limited = (signal: AbortSignal): AbortSignal => AbortSignal.any([signal, AbortSignal.timeout(CALL_TIMEOUT_MS)]);

function codeOf(thrown: unknown): string | undefined {
  return isRestError(thrown) ? thrown.code : undefined;
}

/** By its name, no class: npm may install several copies of the package that defines it. */
function isRestError(thrown: unknown): thrown is RestError {
  return thrown instanceof Error && thrown.name === 'RestError';
}

/** @param what was to be done, or what it was done to */
function blobError(what: string, thrown: unknown): SinkError {
  if (thrown instanceof SinkError) return thrown;
  const message = `${what}: ${reasonOf(thrown)}`;
  if (!isRestError(thrown) || thrown.statusCode === undefined)
    return new SinkError(codeOf(thrown) ?? (thrown instanceof Error ? thrown.name : 'unknown'), message, { cause: thrown });
  if (PASSING.has(thrown.code)) return new SinkError(thrown.code ?? '', message, { cause: thrown });
  return statusError(thrown.statusCode, message, thrown.response?.headers.get('retry-after'));
}

/** An account says in one line what is wrong, and sometimes in another why. The chain of identities has a line for each that was tried. */
function reasonOf(thrown: unknown): string {
  if (!(thrown instanceof Error)) return String(thrown);
  const lines = thrown.message.split('\n');
  if (!isRestError(thrown)) return lines.join(' ');
  const { authenticationErrorDetail: why } = (thrown.details ?? {}) as { authenticationErrorDetail?: unknown };
  const expired = expiryOf(thrown.request?.url);
  return [lines[0], typeof why === 'string' && why.split('\n')[0], expired !== undefined && `The SAS expired at ${expired}.`]
    .filter(Boolean)
    .join(' ');
}

/** When the SAS in an address expired; undefined: it has not, or there is none. */
function expiryOf(url: string | undefined): string | undefined {
  const expiry = URL.parse(url ?? '')?.searchParams.get('se') ?? '';
  return Date.parse(expiry) < Date.now() ? expiry : undefined;
}
