import { isUtf8 } from 'node:buffer';
import type { FunctionOutput } from '../../config/platforms/function-bindings.ts';
import { parse, stringify } from '../../guards/built-ins.ts';
import type { HeaderPairs } from '../../ipc/header-fields.ts';

/**
 * An answer as JSON texts of the values that the Functions host takes. It reads a text in an output
 * as base64 first, unless the output is `binary`, and writes a number as its bytes in memory.
 */
interface OutputValue {
  /** Leaves the host as the answer's own text or bytes. */
  readonly plain: string;
  /** Of an output whose text the host writes as it is. */
  readonly binary: string;
  /** Body of an answer over HTTP. */
  readonly http: string;
}

/**
 * Objects and arrays are themselves. A string is its JSON text: quotes are no base64. Numbers and
 * booleans are the base64 of their text, because they have no form that is neither.
 */
export function valueOfJson(json: string): OutputValue {
  if (json.startsWith('{') || json.startsWith('[')) return { plain: json, binary: json, http: json };
  const text = stringify(json);
  return { plain: json.startsWith('"') ? text : base64(Buffer.from(json)), binary: text, http: text };
}

/** Of an answer that is no JSON: the host decodes base64 to its bytes. */
export function valueOfBytes(bytes: Buffer): OutputValue {
  const text = isUtf8(bytes) ? stringify(bytes.toString()) : base64(bytes);
  return { plain: base64(bytes), binary: text, http: text };
}

/** True for a body that is JSON by its content type and its text. */
export function isJson(headers: HeaderPairs, body: Buffer): boolean {
  const type = headers.find(([name]) => name.toLowerCase() === 'content-type')?.[1] ?? '';
  if (!/^\s*[\w.-]+\/(?:[\w.-]+\+)?json\s*(?:;|$)/i.test(type)) return false;
  try {
    parse(body.toString());
    return true;
  } catch {
    return false;
  }
}

interface InvocationAnswer {
  readonly outputs: readonly FunctionOutput[];
  readonly value: OutputValue;
  readonly status: number;
  readonly headers: HeaderPairs;
  readonly lines: readonly string[];
}

/** Of the function itself, in place of an output. */
const RETURN = '$return';

/**
 * JSON text of a reply to the host. Every output gets the answer. Where a function has outputs and
 * no `$return`, ReturnValue is an empty text: of an object the host would take the members as
 * outputs, and without any value it would log a warning.
 */
export function invocationText({ outputs, value, status, headers, lines }: InvocationAnswer): string {
  const http = (): string => {
    const sent: Record<string, string> = Object.create(null);
    for (const [name, each] of headers) sent[name] = name in sent ? `${sent[name]}, ${each}` : each;
    return `{"statusCode":${status},"status":${status},"body":${value.http},"headers":${stringify(sent)}}`;
  };
  const of = ({ kind }: FunctionOutput): string => (kind === 'http' ? http() : value[kind]);
  const members = outputs.filter(({ name }) => name !== RETURN).map((each) => `${stringify(each.name)}:${of(each)}`);
  const own = outputs.find(({ name }) => name === RETURN);
  const returned = own === undefined ? (outputs.length === 0 ? value.plain : '""') : of(own);
  return `{"Outputs":{${members.join(',')}},"Logs":${stringify(lines)},"ReturnValue":${returned}}`;
}

function base64(bytes: Buffer): string {
  return stringify(bytes.toString('base64'));
}
