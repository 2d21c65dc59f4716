import { AsyncLocalStorage } from 'node:async_hooks';
import { Console } from 'node:console';
import { Writable } from 'node:stream';
import { formatWithOptions, inspect, type InspectOptions } from 'node:util';
import { parse, stringify } from '../../guards/built-ins.ts';
import type { Logger } from '../../entry-script.ts';
import { withoutKeys } from '../../guards/addresses.ts';
import { formless } from '../../guards/formless.ts';
import { fieldsOfError, isError } from '../../guards/thrown.ts';
import { cutText, LONGEST_LINE } from '../../guards/output-lines.ts';
import type { LogLevelName, LogMessage } from '../../ipc/worker-messages.ts';
import type { WorkerRequest } from '../request-context.ts';

/**
 * Makes log lines of everything that a script logs or prints. Inside `run()`, also after an await,
 * they carry the request's ids, until the request is over. Why no longer: an interval that a
 * request has made may print for the life of the worker.
 */
export class ScriptLog implements Logger {
  readonly #send: (message: LogMessage) => void;
  readonly #requests = new AsyncLocalStorage<WorkerRequest>();
  /** What the script gets: each member works by itself. */
  readonly forScript: Logger = {
    debug: (message, fields) => this.debug(message, fields),
    info: (message, fields) => this.info(message, fields),
    warn: (message, fields) => this.warn(message, fields),
    error: (message, fields) => this.error(message, fields),
  };

  constructor(send: (message: LogMessage) => void) {
    this.#send = send;
  }

  /** The request whose code runs now, over or not. */
  get request(): WorkerRequest | undefined {
    return this.#requests.getStore();
  }

  /** Runs `task` so that its log lines belong to this request. */
  within<T>(request: WorkerRequest, task: () => T): T {
    return this.#requests.run(request, task);
  }

  debug(message: string, fields?: Record<string, unknown>): void {
    this.#line('debug', message, fields);
  }

  info(message: string, fields?: Record<string, unknown>): void {
    this.#line('info', message, fields);
  }

  warn(message: string, fields?: Record<string, unknown>): void {
    this.#line('warn', message, fields);
  }

  error(message: string, fields?: Record<string, unknown>): void {
    this.#line('error', message, fields);
  }

  /**
   * Logs an error that no code of the script has caught. It keeps the ids of the request that made
   * it, over or not: they are the only trace to its cause.
   */
  escaped(message: string): void {
    this.#line('error', withoutKeys(message), undefined, this.request);
  }

  /** A console whose every method ends in a log line. */
  toConsole(): Console {
    const stream = (level: LogLevelName): Writable =>
      new Writable({
        decodeStrings: false,
        write: (chunk, _encoding, done) => {
          this.#line(level, String(chunk).replace(/\n$/, ''));
          done();
        },
      });
    const console = new Console({ stdout: stream('info'), stderr: stream('error') });
    const at =
      (level: LogLevelName) =>
      (...values: unknown[]): void =>
        this.#line(level, formatWithOptions({ colors: false }, ...values));
    return Object.assign(console, { log: at('info'), info: at('info'), debug: at('debug'), warn: at('warn'), error: at('error') });
  }

  /** Cuts a line that is too long, before it is copied anywhere. */
  #line(level: LogLevelName, msg: unknown, fields?: Record<string, unknown>, request = this.#unfinished()): void {
    const text = typeof msg === 'string' ? msg : formatWithOptions({ colors: false }, msg);
    const shown = cutText(text);
    if (level !== 'debug') request?.logged?.add(shown);
    const sent = fields === undefined ? undefined : fieldsToSend(fields);
    this.#send({
      level,
      msg: shown,
      requestId: request?.id,
      traceId: request?.traceId,
      spanId: request?.spanId,
      fields: sent?.fields,
      cut: shown.length < text.length || sent?.cut === true ? true : undefined,
    });
  }

  #unfinished(): WorkerRequest | undefined {
    const request = this.#requests.getStore();
    return request?.over === true ? undefined : request;
  }
}

/**
 * Fields as they can be sent. Why: they must neither lose the line nor make it longer than a text
 * may be.
 */
function fieldsToSend(given: Record<string, unknown>): { readonly fields: Record<string, unknown>; readonly cut: boolean } {
  let text: string;
  let isPlain = true;
  const replacer = function (this: Readonly<Record<string, unknown>>, key: string, value: unknown): unknown {
    const shown = readable(this[key], value);
    if (shown !== value) isPlain = false;
    return shown;
  };
  try {
    // Scripts write `log.error('failed', error)`, too.
    const fields = isError(given) ? { err: given } : given;
    text = stringify(fields, replacer);
    if (text.length <= LONGEST_LINE) return { fields: isPlain ? fields : parse(text), cut: false };
  } catch {
    text = formatWithOptions({ colors: false }, given);
  }
  const shown = cutText(text);
  return { fields: { fields: shown }, cut: shown.length < text.length };
}

/** How values in fields are shown that JSON cannot hold. */
const SHOWN: InspectOptions = { colors: false, breakLength: Infinity, depth: 4, maxArrayLength: 100, maxStringLength: 10_000 };

/**
 * A text in place of a value whose JSON would not hold its content.
 * @param given the value before its `toJSON`, which some errors and all Buffers have
 */
function readable(given: unknown, value: unknown): unknown {
  if (typeof given === 'object' && given !== null) {
    if (isError(given)) return fieldsOfError(given);
    return ArrayBuffer.isView(given) || (given === value && formless(given) !== undefined) ? inspect(given, SHOWN) : value;
  }
  if (typeof given === 'function') return inspect(given, SHOWN);
  const isOdd = typeof given === 'bigint' || typeof given === 'symbol' || (typeof given === 'number' && !Number.isFinite(given));
  return isOdd ? String(given) : value;
}

/**
 * Makes a JSON.parse that warns once where a script parses data that is parsed already. Why: the
 * error of JSON.parse itself does not name the mistake.
 */
export function hintAtDoubleParsing(log: Logger): typeof JSON.parse {
  const replaced = JSON.parse;
  let warned = false;
  return (text, reviver) => {
    const given: unknown = text;
    if (!warned && typeof given === 'object' && given !== null && !ArrayBuffer.isView(given)) {
      warned = true;
      log.warn(
        "JSON.parse was called on data that is parsed already: use it as it is, or export inputType = 'text' to get the body as a string",
      );
    }
    return replaced(text, reviver) as unknown;
  };
}
