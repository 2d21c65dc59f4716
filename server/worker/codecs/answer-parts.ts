import { Answer, type InferParameter } from '../../entry-script.ts';
import { ServerError } from '../../errors.ts';
import { excerpt } from '../../guards/excerpt.ts';
import { formless } from '../../guards/formless.ts';
import { kindOf } from '../../guards/kind-of.ts';
import { type HeaderPairs, wrongHeaders } from '../../ipc/header-fields.ts';
import { isParameter, show } from '../../tensors/infer-request.ts';
import { isStreamed } from '../chunk-source.ts';
import { isResponse } from '../outcome.ts';

/** Checked parameters of an answer; no prototype, because scripts choose the names. */
export type Parameters = Readonly<Record<string, InferParameter>>;

/** An answer of `run()`, in its parts. */
export interface AnswerParts {
  readonly value: unknown;
  /** Undefined: none. */
  readonly headers: HeaderPairs | undefined;
  readonly parameters: Parameters | undefined;
  /** Of an output by its name. */
  readonly outputParameters: ReadonlyMap<string, Parameters | undefined>;
}

/**
 * Headers that describe the body, which the server makes. Why not dropped: the client would get
 * another answer than the script meant.
 */
const OF_THE_BODY = /^(?:content-(?:type|encoding|length|range)|transfer-encoding|inference-header-content-length)$/i;
/**
 * A parameter that the server sets. It is left out, because scripts may copy the parameters of an
 * input.
 */
const BINARY_SIZE = 'binary_data_size';
const LEAST = -(2n ** 63n);
const MOST = 2n ** 64n - 1n;
const NONE: AnswerParts['outputParameters'] = new Map();

/**
 * The parts of a result of `run()`, an Answer or any other value.
 * @throws ServerError result_not_json, result_not_http
 */
export function answerParts(result: unknown): AnswerParts {
  if (!(result instanceof Answer)) return { value: result, headers: undefined, parameters: undefined, outputParameters: NONE };
  const { value } = result;
  const odd = noValue(value);
  if (odd !== undefined) throw new ServerError('result_not_json', `run() answered an Answer of ${odd}`);
  return {
    value,
    headers: headersOf(result.headers),
    parameters: parametersOf(result.parameters, 'parameters'),
    outputParameters: byOutput(result.outputParameters),
  };
}

/** Headers of an answer in JSON; undefined if it has no others. */
export function jsonHeaders(headers: HeaderPairs | undefined): HeaderPairs | undefined {
  return headers === undefined || headers.length === 0 ? undefined : [['content-type', 'application/json'], ...headers];
}

function noValue(value: unknown): string | undefined {
  if (value instanceof Answer) return 'an Answer: put headers and parameters into one';
  if (value instanceof Promise) return 'a Promise: await it first';
  if (isResponse(value)) return 'a Response: return the Response itself, which has headers of its own';
  return isStreamed(value) ? 'an iterator: for a stream with headers, return a Response of a ReadableStream' : undefined;
}

function headersOf(headers: unknown): HeaderPairs | undefined {
  if (headers === undefined) return undefined;
  if (typeof headers !== 'object' || headers === null) throw notHttp(`headers of type ${typeof headers}: expected an object`);
  const given: unknown[] = isIterable(headers) ? Array.from(headers) : Object.entries(headers);
  const pairs = given.filter(isPair);
  if (pairs.length < given.length) throw notHttp('headers that are no pairs: expected [name, value]');
  const wrong = wrongHeaders(pairs);
  if (wrong !== undefined) throw notHttp(wrong);
  const ofBody = pairs.find(([name]) => OF_THE_BODY.test(name));
  if (ofBody !== undefined) throw notHttp(`the header ${ofBody[0]}, which the server sets here: return a Response to choose it`);
  return pairs.length === 0 ? undefined : pairs;
}

function isIterable(value: object): value is Iterable<unknown> {
  return Symbol.iterator in value;
}

/** `wrongHeaders` checks the types of the two. */
function isPair(value: unknown): value is [string, string] {
  return Array.isArray(value) && value.length === 2;
}

function byOutput(given: unknown): AnswerParts['outputParameters'] {
  if (given === undefined) return NONE;
  return new Map(
    membersOf(given, 'outputParameters').map(([name, parameters]) => [name, parametersOf(parameters, `outputParameters.${name}`)]),
  );
}

function parametersOf(given: unknown, where: string): Parameters | undefined {
  if (given === undefined) return undefined;
  const parameters: Record<string, InferParameter> = Object.create(null);
  for (const [name, value] of membersOf(given, where)) {
    if (value === undefined || name === BINARY_SIZE) continue;
    if (!isParameter(value)) throw notJson(show(value), `${where}.${name}`, 'a string, a number, a bigint or a boolean');
    if (typeof value === 'number' && !Number.isFinite(value)) throw notJson(String(value), `${where}.${name}`, 'a finite number');
    if (typeof value === 'bigint' && (value < LEAST || value > MOST))
      throw notJson(String(value), `${where}.${name}`, 'a bigint of 64 bits');
    parameters[name] = value;
  }
  return Object.keys(parameters).length === 0 ? undefined : parameters;
}

/** Members of a plain object. Maps and arrays have none that JSON shows. */
function membersOf(value: unknown, where: string): [string, unknown][] {
  if (typeof value === 'object' && value !== null && !isIterable(value)) return Object.entries(value);
  const got = typeof value === 'object' && value !== null ? (formless(value)?.what ?? kindOf(value)) : show(value);
  throw notJson(got, where, 'a plain object');
}

function notJson(got: string, where: string, expected: string): ServerError {
  return new ServerError('result_not_json', `run() answered ${excerpt(got)} at \`${excerpt(where)}\`: expected ${expected}`);
}

function notHttp(what: string): ServerError {
  return new ServerError('result_not_http', `run() answered an Answer with ${what}`);
}
