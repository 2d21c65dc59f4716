import { BINDINGS_HEADER, type FunctionBindings, type FunctionOutput, isMembers } from '../../config/platforms/function-bindings.ts';
import { ServerError } from '../../errors.ts';
import { parse, stringify } from '../../guards/built-ins.ts';
import { excerpt } from '../../guards/excerpt.ts';
import { kindOf } from '../../guards/kind-of.ts';
import type { StandIn, WorkerRequest } from '../request-context.ts';
import type { BodyChoices } from './codec.ts';
import { decodeBody } from './content-types.ts';
import type { JsonNan } from './json.ts';

/** Outputs of a function whose function.json the server does not know. */
const USUAL_OUTPUTS: readonly FunctionOutput[] = [
  { name: 'output', kind: 'plain' },
  { name: 'res', kind: 'http' },
];
/** Content types whose bodies the host sends as base64. */
const BASE64_BODY = /^\s*(?:application\/octet-stream|multipart\/)/i;
const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;

type Members = Readonly<Record<string, unknown>>;

/** Data of `run()`, or the request that the host has put into the envelope. */
interface Read {
  readonly data: unknown;
  readonly http: (StandIn & { readonly body: Buffer }) | undefined;
}

/** An invocation by the bindings of its function, which the host of this server has told. */
export function readInvocation(request: WorkerRequest, choices: BodyChoices): Invocation {
  const told = request.header(BINDINGS_HEADER);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- written by this server, from checked bindings
  return new Invocation(told === undefined ? undefined : (parse(told) as FunctionBindings), choices);
}

/** One `{"Data": ..., "Metadata": ...}`. */
export class Invocation {
  readonly #bindings: FunctionBindings | undefined;
  readonly #choices: BodyChoices;
  #metadata: Members = {};
  #http: boolean;

  constructor(bindings: FunctionBindings | undefined, choices: BodyChoices) {
    this.#bindings = bindings;
    this.#choices = choices;
    this.#http = bindings?.http === true;
  }

  get outputs(): readonly FunctionOutput[] {
    return this.#bindings?.outputs ?? USUAL_OUTPUTS;
  }

  /** Facts of the trigger and of its retries. */
  get metadata(): Members {
    return this.#metadata;
  }

  /** A client waits for an answer over HTTP. */
  get http(): boolean {
    return this.#http;
  }

  /** @throws ServerError bad_json, bad_text, invalid_input */
  read(body: Buffer, jsonNan: JsonNan | undefined): Read {
    const envelope = decodeBody(body, undefined, 'json', this.#choices.exactIntegers, jsonNan);
    const { Data: all, Metadata: metadata } = isMembers(envelope) ? envelope : {};
    if (!isMembers(all))
      throw refused(
        `expected {"Data": {...}, "Metadata": {...}} from the Functions host, got ${kindOf(isMembers(envelope) ? all : envelope)}`,
      );
    if (isMembers(metadata)) this.#metadata = metadata;
    const name = this.#bindings?.input ?? Object.keys(all)[0] ?? '';
    if (!Object.hasOwn(all, name))
      throw refused(`expected Data with the binding ${name}, got ${excerpt(Object.keys(all).join(', ') || 'none')}`);
    const value = all[name];
    if (this.#bindings?.http !== false && isRequest(value)) {
      this.#http = true;
      return { data: undefined, http: requestOf(value) };
    }
    return { data: this.#dataOf(name, value, jsonNan), http: undefined };
  }

  #dataOf(name: string, value: unknown, jsonNan: JsonNan | undefined): unknown {
    const { inputType, exactIntegers } = this.#choices;
    const content = this.#contentOf(name, value);
    if (typeof content === 'string') {
      if (inputType === undefined || inputType === 'text') return content;
      return inputType === 'bytes' ? Buffer.from(content) : decodeBody(Buffer.from(content), undefined, inputType, exactIntegers, jsonNan);
    }
    return inputType === undefined || inputType === 'bytes' ? content : decodeBody(content, undefined, inputType, exactIntegers, jsonNan);
  }

  /** The trigger's own text or bytes: the host has put a text into JSON, and bytes into base64. */
  #contentOf(name: string, value: unknown): string | Buffer {
    if (typeof value !== 'string') return stringify(value) ?? '';
    if (this.#bindings?.binary === true) {
      if (!isBase64(value))
        throw refused(`Data.${name}: expected base64, because its binding has the dataType binary, got ${excerpt(value)}`);
      return Buffer.from(value, 'base64');
    }
    const text = textIn(value);
    if (text !== undefined) return text;
    return this.#choices.inputType === 'bytes' && isBase64(value) ? Buffer.from(value, 'base64') : value;
  }
}

/** The text in a text of JSON; undefined: it is plain. */
function textIn(value: string): string | undefined {
  if (!/^\s*"/.test(value)) return undefined;
  try {
    const text: unknown = parse(value);
    return typeof text === 'string' ? text : undefined;
  } catch {
    return undefined;
  }
}

/** Linear in its length: Node decodes any text. */
function isBase64(value: string): boolean {
  return value.length % 4 === 0 && BASE64.test(value);
}

function isRequest(value: unknown): value is Members & { readonly Url: string; readonly Method: string } {
  return isMembers(value) && typeof value['Url'] === 'string' && typeof value['Method'] === 'string';
}

/** The client's request, as it would have come to /score. */
function requestOf(value: Members & { readonly Url: string; readonly Method: string }): StandIn & { readonly body: Buffer } {
  const url = URL.parse(value.Url, 'http://localhost');
  const headers = headersOf(value['Headers']);
  const contentType = headers.find(([name]) => name.toLowerCase() === 'content-type')?.[1];
  const body = value['Body'] ?? '';
  const text = typeof body === 'string' ? body : (stringify(body) ?? '');
  const isBytes = typeof body === 'string' && BASE64_BODY.test(contentType ?? '') && isBase64(body);
  return {
    method: /^[A-Za-z]{1,32}$/.test(value.Method) ? value.Method.toUpperCase() : 'POST',
    url: url === null ? '/' : url.pathname + url.search,
    contentType,
    headers,
    body: Buffer.from(text, isBytes ? 'base64' : 'utf8'),
  };
}

/** Names with a list of values each; what HTTP cannot carry is left out. */
function headersOf(value: unknown): [string, string][] {
  return Object.entries(isMembers(value) ? value : {}).flatMap(([name, values]) =>
    [values]
      .flat()
      .filter((each) => typeof each === 'string')
      .filter((each) => /^[\w!#$%&'*+.^`|~-]+$/.test(name) && !/[\r\n\0]/.test(each))
      .map((each): [string, string] => [name, each]),
  );
}

function refused(message: string): ServerError {
  return new ServerError('invalid_input', message);
}
