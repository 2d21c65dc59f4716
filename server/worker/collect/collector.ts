import { randomUUID } from 'node:crypto';
import { stringify } from '../../guards/built-ins.ts';
import { object } from '../../guards/checks.ts';
import { describeThrown } from '../../guards/thrown.ts';
import { mayCapture } from '../../request/captured-headers.ts';
import { toRows, type Collectable, type ColumnChoices } from './collect-rows.ts';
import { installedPort } from './collection-port.ts';
import { COLUMN_TYPES, columnTypes, isColumnType, type ColumnTypes } from './columns.ts';

/** Ties records together. Python's API has a class of the same name. */
export class BasicCorrelationContext {
  readonly id: string;
  /** Seconds since 1970, as in Python. */
  readonly timestamp: number;
  /** Extra attributes of the record. Names that may mean keys, tokens or cookies are left out. */
  readonly headers: Readonly<Record<string, string>>;

  constructor({ id = randomUUID(), timestamp = Math.floor(Date.now() / 1000), headers = {} }: Partial<BasicCorrelationContext> = {}) {
    this.id = id;
    this.timestamp = timestamp;
    this.headers = headers;
  }
}

/** A context, or anything with an id: the `request` that `run()` gets will do. */
export interface CorrelationContext {
  readonly id: string;
}

export interface CollectorOptions {
  /**
   * Name of the collection, in lower case. Azure's monitors read `model_inputs` and
   * `model_outputs`.
   */
  readonly name: string;
  /** Names of columns, for data that has none. */
  readonly featureNames?: readonly string[];
  /**
   * Types of columns by name: `{ age: 'int', price: 'float' }`. The name of a nested value or of a
   * list stands for all of its columns. Other columns have the type of their first values.
   */
  readonly types?: ColumnTypes;
  /**
   * Called with an error that keeps data from being collected, in place of the log. Its own errors
   * reach the script.
   */
  readonly onError?: (error: Error) => void;
}

/** The payloads: the server collects them itself. */
const RESERVED = ['request', 'response'];
const NAME = /^[a-z0-9][a-z0-9_.-]{0,199}$/;

/**
 * Collects rows under a name: `const inputs = new Collector({ name: 'model_inputs' })`. Never
 * throws into scoring, unless asked to.
 */
export class Collector {
  readonly name: string;
  readonly #options: CollectorOptions;
  readonly #choices: ColumnChoices;
  readonly #wrong: Error | undefined;

  constructor(options: CollectorOptions) {
    const given: unknown = options.name;
    this.name = String(given);
    this.#options = options;
    this.#choices = { featureNames: options.featureNames, types: columnTypes(options.types) };
    this.#wrong = wrongName(given) ?? wrongTypes(options.types);
    // Works by itself: `const { collect } = new Collector(...)`.
    this.collect = this.collect.bind(this);
    if (this.#wrong !== undefined) this.#fail(this.#wrong);
  }

  /**
   * Hands rows over and returns at once. Without a context they belong to the request for which
   * they are collected.
   * @returns the context, to pass on: `outputs.collect(rows, inputs.collect(data))`
   */
  collect(data: Collectable, context?: CorrelationContext): BasicCorrelationContext {
    const port = installedPort();
    const correlation = contextOf(context, port?.requestId);
    if (port === undefined || this.#wrong !== undefined || !port.keeps(this.name, correlation.id)) return correlation;
    try {
      const rows = toRows(data, this.#choices, port.columns(this.name));
      const { id, timestamp, headers } = correlation;
      port.send(
        this.name,
        { id, time: timestamp * 1000, ...(Object.keys(headers).length === 0 ? {} : { headers: safeHeaders(headers) }) },
        rows,
      );
    } catch (thrown) {
      this.#fail(thrown instanceof Error ? thrown : new TypeError(describeThrown(thrown)));
    }
    return correlation;
  }

  #fail(error: Error): void {
    installedPort()?.failed(this.#wrong === undefined ? this.name : 'unknown', error);
    this.#options.onError?.(error);
  }
}

function contextOf(context: CorrelationContext | undefined, requestId: string | undefined): BasicCorrelationContext {
  if (context instanceof BasicCorrelationContext) return context;
  const { timestamp, headers } = (context ?? {}) as Partial<BasicCorrelationContext>;
  // Scripts may be JavaScript: an id may be anything.
  const id: unknown = context?.id ?? requestId;
  return new BasicCorrelationContext({
    ...(id === undefined ? {} : { id: text(id) }),
    ...(typeof timestamp === 'number' ? { timestamp } : {}),
    // A request's headers are no context: a web-standard Headers has no keys of its own.
    ...(typeof headers === 'object' && headers !== null && !(headers instanceof Headers) ? { headers } : {}),
  });
}

function safeHeaders(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).flatMap(([name, value]) => (mayCapture(name) ? [[name, text(value)]] : [])));
}

function text(value: unknown): string {
  try {
    return String(value);
  } catch {
    // An object without a prototype.
    return Object.prototype.toString.call(value);
  }
}

function wrongName(name: unknown): Error | undefined {
  if (typeof name === 'string' && RESERVED.includes(name))
    return new Error(`Collector: expected a name of your own, got ${name}, which the server collects itself`);
  if (typeof name === 'string' && NAME.test(name)) return undefined;
  return new Error(`Collector: expected a name of lower-case letters, digits, _, . and -, got ${JSON.stringify(name) ?? typeof name}`);
}

/** Types that a script may have written in JavaScript. */
function wrongTypes(types: unknown): Error | undefined {
  if (types === undefined || (object(types) && Object.values(types).every(isColumnType))) return undefined;
  const got = stringify(types) ?? typeof types;
  return new Error(`Collector: expected types of columns by name, each one of ${COLUMN_TYPES.join(', ')}; got ${got}`);
}
