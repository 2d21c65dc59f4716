import { describeThrown } from '../../errors.ts';
import { object } from '../../guards/checks.ts';
import { originOf } from '../../config/option-values.ts';
import type { Block } from '../encode/block.ts';
import { limited, SinkError, statusError, type Batch, type Sink } from './sink.ts';

/** Events that are sent at a time. */
const AT_ONCE = 8;

interface Post {
  readonly headers: Record<string, string>;
  readonly body: string;
}

/**
 * Sends each event as a POST of its own: the sinks `http` and `azureml`. Any 2xx means that the
 * other side has taken it.
 */
export class PostSink implements Sink {
  readonly appends = false;
  readonly largestInline = Infinity;
  readonly name: string;
  readonly #url: string;
  readonly #postOf: (line: Block) => Post;

  constructor(name: string, url: string, postOf: (line: Block) => Post) {
    this.name = name;
    this.#url = url;
    this.#postOf = postOf;
  }

  reference(): undefined {
    return undefined;
  }

  /** Removes each line that is sent from the batch, so that a retry sends only the rest. */
  async write({ blocks: lines }: Batch, signal: AbortSignal): Promise<void> {
    while (lines.length > 0) {
      const some = lines.slice(0, AT_ONCE);
      const results = await Promise.allSettled(some.map((line) => this.#send(line, signal)));
      const failures = results.map(failureOf);
      const rejected = some.filter((_, index) => failures[index]?.retriable === false);
      const again = some.filter((_, index) => failures[index]?.retriable === true);
      lines.splice(0, some.length, ...again);
      const refusal = failures.find((failure) => failure?.retriable === false);
      if (refusal !== undefined) throw new SinkError(refusal.code, refusal.message, { retriable: false, rejected });
      const failure = failures.find((each) => each !== undefined);
      if (failure !== undefined) throw failure;
    }
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  async #send(line: Block, signal: AbortSignal): Promise<void> {
    const { headers, body } = this.#postOf(line);
    let answer: Response;
    try {
      answer = await fetch(this.#url, {
        method: 'POST',
        headers,
        body,
        redirect: 'error',
        signal: limited(signal),
      });
      await answer.arrayBuffer();
    } catch (thrown) {
      const cause = thrown instanceof Error && thrown.cause instanceof Error ? thrown.cause : thrown;
      const code = cause instanceof Error ? ('code' in cause ? String(cause.code) : cause.name) : 'unknown';
      // `fetch` quotes the whole address in some of its errors.
      const text = (cause instanceof Error ? cause.message : String(cause)).replaceAll(this.#url, originOf(this.#url));
      throw new SinkError(code, `${originOf(this.#url)}: ${text}`, { cause: thrown });
    }
    if (!answer.ok)
      throw statusError(answer.status, `${originOf(this.#url)}: answered ${answer.status}`, answer.headers.get('retry-after'));
  }
}

/**
 * Errors of the network are SinkErrors. Another error is one of this line, for which no request can
 * be made: a retry would fail as well, and hold up all other lines.
 */
function failureOf(result: PromiseSettledResult<void>): SinkError | undefined {
  if (result.status === 'fulfilled') return undefined;
  const reason: unknown = result.reason;
  return reason instanceof SinkError ? reason : new SinkError('invalid_event', describeThrown(reason), { retriable: false, cause: reason });
}

/**
 * A CloudEvent over HTTP, structured mode: https://github.com/cloudevents/spec,
 * http-protocol-binding.
 */
export const cloudEventPost = ({ data }: Block): Post => ({
  headers: { 'content-type': 'application/cloudevents+json; charset=utf-8' },
  body: data.toString('utf8', 0, data.length - 1),
});

/**
 * The request that the Python SDK sends to Azure ML's collector: docs/data-collection.md.
 * @throws SinkError where the line is no event
 */
export function azuremlPost({ data, collection }: Block): Post {
  const text = data.toString();
  const event = readEvent(text);
  const attribute = (name: string, otherwise: string): string => (typeof event[name] === 'string' ? event[name] : otherwise);
  const attributes: Record<string, string> = {};
  for (const [name, value] of Object.entries(event)) {
    if (name === 'data' || name === 'data_base64' || !(typeof value === 'string' || typeof value === 'number')) continue;
    attributes[`ce-${name}`] = encodeURI(String(value));
  }
  for (const name of FIXED) delete attributes[`ce-${name}`];
  return {
    headers: {
      ...attributes,
      accept: '*/*',
      'content-type': 'application/json',
      'trace-id': attribute('id', ''),
      'ce-time': String(Math.floor(Date.parse(attribute('time', '')) / 1000)),
      'ce-type': `azureml.inference.${collection}`,
      'ce-collect-data-type': attribute('collectdatatype', 'application/json'),
      'ce-agent': attribute('agent', 'scoring-server'),
      'ce-x-request-id': encodeURI(attribute('correlationid', '')),
      'ce-model-version': attribute('modelversion', 'default'),
    },
    body: dataText(text, event),
  };
}

type Event = Readonly<Record<string, unknown>>;

/** @throws SinkError where the line is no event: no retry would help */
function readEvent(line: string): Event {
  let event: unknown;
  try {
    event = JSON.parse(line);
  } catch (thrown) {
    throw new SinkError('invalid_event', `a line that is not JSON: ${describeThrown(thrown)}`, { retriable: false, cause: thrown });
  }
  if (!object(event)) throw new SinkError('invalid_event', 'a line that is no event', { retriable: false });
  return event;
}

/** Attributes that the collector sets itself, or has under the names above. */
const FIXED =
  'specversion id source type datacontenttype time correlationid xrequestid contentrange collectdatatype agent modelversion layout csvname'.split(
    ' ',
  );

/**
 * Cuts the data out of the line, because numbers must stay as they were sent. Every event has the
 * attributes around it.
 */
function dataText(text: string, event: Event): string {
  if (event['data'] === undefined) return JSON.stringify(event['data_base64'] ?? null);
  const start = text.indexOf(',"data":') + ',"data":'.length;
  return text.slice(start, text.lastIndexOf(',"correlationid":'));
}
