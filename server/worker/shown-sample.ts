import { Answer } from '../entry-script.ts';
import { asServerError, describeThrown, ServerError } from '../errors.ts';
import { parse } from '../guards/built-ins.ts';
import type { Json } from '../ipc/script-schemas.ts';
import { isStreamed } from './chunk-source.ts';
import { encodeJson, type NonFinite } from './codecs/encode-result.ts';
import { isResponse } from './outcome.ts';
import type { LoadedScript } from './script/load-entry-script.ts';

/** Most characters of an example in the description of the API. */
const LONGEST = 64 * 1024;

/**
 * The sample of a script that takes JSON, as JSON for the description of its API; undefined where
 * there is none, or it is too long.
 * @throws ServerError script_broken where it does not fit the script's own schema
 */
export function shownSample({ path, sample, schemas, inputType, rawHttp }: LoadedScript): Json | undefined {
  if (sample === undefined || rawHttp || inputType === 'text' || inputType === 'bytes') return undefined;
  try {
    schemas?.checkInput?.(sample);
  } catch (cause) {
    const own = asServerError(cause);
    if (own === undefined) throw cause;
    throw misfit(path, `sample that does not fit schema.input: ${own.message}`, cause);
  }
  try {
    return jsonOf(sample, 'string', LONGEST);
  } catch {
    return undefined;
  }
}

/**
 * What `run()` answered to the sample, as JSON. It is checked against the script's schema of its
 * output, where it is a value: a stream and a Response are what the script makes them.
 * @throws ServerError script_broken where it does not fit
 */
export function shownAnswer({ path, schemas }: LoadedScript, result: unknown, nonFinite: NonFinite): Json | undefined {
  if (isResponse(result) || isStreamed(result)) return undefined;
  const value = (result instanceof Answer ? result.value : result) ?? {};
  const output = schemas?.output;
  try {
    const answer = jsonOf(value, nonFinite, output === undefined ? LONGEST : Infinity);
    const problem = output?.fit(answer);
    if (problem !== undefined) throw misfit(path, `schema.output that run() does not fit with its answer to the sample: ${problem}`);
    return JSON.stringify(answer).length > LONGEST ? undefined : answer;
  } catch (cause) {
    if (output === undefined) return undefined;
    if (isMisfit(cause)) throw cause;
    throw misfit(path, `schema.output, and run() answered the sample something without a JSON form: ${describeThrown(cause)}`, cause);
  }
}

function jsonOf(value: unknown, nonFinite: NonFinite, most: number): Json {
  const json: Json = parse(encodeJson(value, nonFinite, most));
  return json;
}

function misfit(path: string, what: string, cause?: unknown): MisfitError {
  return new MisfitError('script_broken', `User script at ${path} exports a ${what}`, { cause });
}

/** A sample, or an answer to it, does not fit the schema of its own script. */
class MisfitError extends ServerError {}

/** Scripts throw anything: `instanceof` alone runs their proxies. */
export function isMisfit(thrown: unknown): boolean {
  return asServerError(thrown) instanceof MisfitError;
}
