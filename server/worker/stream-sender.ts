import { setImmediate } from 'node:timers/promises';
import { bufferFrom } from '../guards/built-ins.ts';
import { kindOf } from '../guards/kind-of.ts';
import { ServerError } from '../errors.ts';
import type { HeaderPairs } from '../ipc/header-fields.ts';
import { STREAM_WINDOW } from '../ipc/limits.ts';
import type { ToHost } from '../ipc/to-host.ts';
import { checkSize } from './answer-limit.ts';
import type { ChunkSource } from './chunk-source.ts';
import { isEncoded } from './content-coding.ts';
import { chunkBytes } from './outcome.ts';

/** The ways in which an answer begins. */
export interface Beginning {
  /** The head of a stream. */
  stream(headers: HeaderPairs): void;
  /** Head and body of an answer that is complete. */
  whole(headers: HeaderPairs, body: Uint8Array | string): void;
}

interface SenderSettings {
  /** JSON text of a chunk that is neither text nor bytes. */
  readonly encode: (chunk: unknown) => string;
  /** Largest chunk. */
  readonly limitBytes?: number | undefined;
}

/**
 * Sends the chunks of one answer, at most a window ahead of the client. The head leaves with the
 * first chunk, so that a source that fails before it still gets an answer of its own. Whatever ends
 * the sending ends the source.
 */
export class StreamSender {
  readonly #toHost: Pick<ToHost, 'chunk' | 'end'>;
  readonly #id: number;
  readonly #source: ChunkSource;
  readonly #settings: SenderSettings;
  #underWay = 0;
  #chunks = 0;
  #cancelled = false;
  /** Ends the wait for a chunk. */
  #interrupt: (() => void) | undefined;
  /** Ends the wait for credit. */
  #wake: (() => void) | undefined;
  started = false;

  constructor(toHost: Pick<ToHost, 'chunk' | 'end'>, id: number, source: ChunkSource, settings: SenderSettings) {
    this.#toHost = toHost;
    this.#id = id;
    this.#source = source;
    this.#settings = settings;
  }

  /** Frees `bytes` of the window: the client's side has taken them. */
  credit(bytes: number): void {
    this.#underWay -= bytes;
    this.#wake?.();
  }

  /** Ends the source and the sending at once, whatever they wait for. */
  cancel(reason: unknown): void {
    this.#cancelled = true;
    this.#source.end(reason);
    this.#interrupt?.();
    this.#wake?.();
  }

  /**
   * Sends the items of an iterator: text and bytes as they are, others as a line of JSON. The first
   * decides the content type.
   * @throws what the iterator throws; ServerError client_gone once it is cancelled
   */
  sendItems(begin: Beginning): Promise<void> {
    return this.#ending(async () => {
      for (let step = await this.#next(); step.done !== true; step = await this.#next()) {
        const bytes = this.#itemBytes(step.value);
        if (!this.started) this.#begin(begin, [['content-type', contentTypeOf(step.value)]]);
        await this.#send(bytes);
      }
      if (!this.started) this.#begin(begin, [['content-type', 'text/plain; charset=utf-8']]);
      this.#toHost.end(this.#id);
    });
  }

  /**
   * Sends the body of a Response, whose chunks are bytes: as a whole where it is complete.
   * @param encoding the body may have: `isEncoded`
   * @throws as `sendItems`; TypeError for a chunk without bytes
   */
  sendBody(begin: Beginning, headers: HeaderPairs, encoding: string | undefined): Promise<void> {
    return this.#ending(async () => {
      const first = await this.#bodyBytes();
      if (first === undefined) return begin.whole(headers, '');
      const second = this.#bodyBytes();
      const whole = await Promise.race([second.then((bytes) => bytes === undefined), setImmediate(false)]);
      const encoded = encoding !== undefined && isEncoded(encoding, first, whole);
      const all = encoded ? [...headers, ['content-encoding', encoding] as const] : headers;
      if (whole) return begin.whole(all, first);
      this.#begin(begin, all);
      await this.#send(first);
      for (let bytes = await second; bytes !== undefined; bytes = await this.#bodyBytes()) await this.#send(bytes);
      return this.#toHost.end(this.#id);
    });
  }

  async #ending(send: () => Promise<void>): Promise<void> {
    try {
      await send();
    } catch (thrown) {
      if (!this.#cancelled) this.#source.end(thrown);
      throw thrown;
    }
  }

  /** The next step of the source, as long as the answer is not cancelled. */
  #next(): Promise<IteratorResult<unknown, unknown>> {
    return new Promise((resolve, reject) => {
      this.#interrupt = () => reject(gone());
      if (this.#cancelled) this.#interrupt();
      else this.#source.next().then(resolve, reject);
    });
  }

  /**
   * The next bytes of a body; undefined at its end. A copy, because scripts fill one buffer again
   * and again.
   */
  async #bodyBytes(): Promise<Buffer | undefined> {
    for (let step = await this.#next(); step.done !== true; step = await this.#next()) {
      this.#chunks++;
      const bytes = chunkBytes(step.value);
      if (bytes === undefined) throw notBytes(this.#chunks, step.value);
      checkSize([bytes], this.#settings.limitBytes);
      if (bytes.length > 0) return typeof step.value === 'string' ? bytes : bufferFrom(bytes);
      await setImmediate();
    }
    return undefined;
  }

  /** A copy, too. Arrays of numbers are a line of JSON. */
  #itemBytes(item: unknown): Buffer {
    const bytes = isBytes(item) ? chunkBytes(item) : undefined;
    const sent = bytes ?? bufferFrom(typeof item === 'string' ? item : `${this.#settings.encode(item)}\n`);
    checkSize([sent], this.#settings.limitBytes);
    return bytes === undefined ? sent : bufferFrom(bytes);
  }

  async #send(bytes: Buffer): Promise<void> {
    if (bytes.length > 0) this.#toHost.chunk(this.#id, bytes);
    this.#underWay += bytes.length;
    // One turn of the loop a chunk: the chunk leaves now, and credit and cancel are read even if
    // the source never waits.
    await setImmediate();
    while (this.#underWay > STREAM_WINDOW && !this.#cancelled) await this.#creditOrCancel();
    if (this.#cancelled) throw gone();
  }

  #begin(begin: Beginning, headers: HeaderPairs): void {
    begin.stream(headers);
    this.started = true;
  }

  #creditOrCancel(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }
}

/** The end of a run whose answer has no reader any more. */
function gone(): ServerError {
  return new ServerError('client_gone', 'Nobody waits for the answer any more.');
}

function notBytes(chunk: number, value: unknown): TypeError {
  return new TypeError(
    `chunk ${chunk} of the body of a Response is ${kindOf(value)}: expected text or bytes (a typed array, a DataView or an ArrayBuffer). ` +
      'Use JSON.stringify for values, or yield them from an async generator that run() returns',
  );
}

function contentTypeOf(item: unknown): string {
  if (typeof item === 'string') return 'text/plain; charset=utf-8';
  return isBytes(item) ? 'application/octet-stream' : 'application/x-ndjson';
}

/** Bytes of an iterator. Other typed arrays are numbers. */
function isBytes(item: unknown): boolean {
  return item instanceof Uint8Array || item instanceof DataView || item instanceof ArrayBuffer || item instanceof SharedArrayBuffer;
}
