import type { HttpFormat } from '../../config/collection-options.ts';
import { object } from '../../guards/checks.ts';
import type { Block } from '../encode/block.ts';
import type { Format, Post } from './event-sinks.ts';
import { isPassing, SinkError } from './sink.ts';

/** Event Grid and Event Hubs refuse a longer request, and Kafka's default is 1 MiB a message. */
const MB = 1_000_000;
/** Room for the attributes of an event. */
const ATTRIBUTES = 100_000;
/** More events would be repeated for nothing after a failure. */
const MOST_EVENTS = 500;

const post = (contentType: string, body: string): Post => ({ headers: { 'content-type': contentType }, body });
const textOf = ({ data }: Block): string => data.toString('utf8', 0, data.length - 1);

/** Formats of the sink `http`: docs/data-collection.md. */
export const httpFormats: Readonly<Record<HttpFormat, Format>> = {
  /** CloudEvents 1.0, HTTP protocol binding, structured mode. */
  structured: {
    events: 1,
    bytes: Infinity,
    largestData: Infinity,
    around: ['', ''],
    post: (line) => post('application/cloudevents+json; charset=utf-8', textOf(line)),
  },
  /** CloudEvents 1.0, HTTP protocol binding, batched mode, within the limits of Event Grid. */
  batched: {
    events: MOST_EVENTS,
    bytes: MB,
    largestData: MB - ATTRIBUTES,
    around: ['[', ']'],
    post: (line) => post('application/cloudevents-batch+json; charset=utf-8', textOf(line)),
  },
  /** Confluent's REST proxy, v2: https://docs.confluent.io/platform/current/kafka-rest/api.html. */
  'kafka-rest': {
    events: MOST_EVENTS,
    bytes: MB,
    largestData: MB - ATTRIBUTES,
    around: ['{"records":[', ']}'],
    post: (line) => {
      const text = textOf(line);
      const { headers, body } = post('application/vnd.kafka.json.v2+json', `{"key":${correlationOf(text)},"value":${text}}`);
      return { headers: { ...headers, accept: 'application/vnd.kafka.v2+json' }, body };
    },
    failures: kafkaFailures,
  },
  /** https://learn.microsoft.com/rest/api/eventhub/send-batch-events: a body is a text. */
  'event-hubs': {
    events: MOST_EVENTS,
    bytes: MB,
    largestData: MB - ATTRIBUTES,
    around: ['[', ']'],
    post: (line) => post('application/vnd.microsoft.servicebus.json', `{"Body":${JSON.stringify(textOf(line))}}`),
  },
};

/** The JSON text of the correlation id, so that a request's records get one partition. */
function correlationOf(event: string): string {
  const member = ',"correlationid":';
  const value = /"(?:[^"\\]|\\.)*"/y;
  // Data before it may have a member of the same name. Quotes inside of texts are escaped.
  value.lastIndex = event.lastIndexOf(member) + member.length;
  return value.exec(event)?.[0] ?? 'null';
}

/**
 * `error_code` of a record. The documentation of Kafka's REST proxy has 1 (final) and 2 (may pass).
 * Its code answers 50002 and 50003 for them, and others of HTTP statuses with two more digits.
 */
const CODES = { passing: 2, final: 50_002 };

/** Whether Kafka may take the record later: also where the proxy's user may not write (40301). */
function mayPass(code: unknown): boolean {
  if (code === CODES.passing) return true;
  return typeof code === 'number' && code >= 40_000 && code !== CODES.final && isPassing(Math.floor(code / 100));
}

/**
 * An answer of another form comes from no REST proxy, and the records wait for another address.
 * @param events number of records that were sent
 */
function kafkaFailures(answer: string, events: number): readonly (SinkError | undefined)[] {
  let offsets: unknown;
  try {
    const read: unknown = JSON.parse(answer);
    offsets = object(read) ? read['offsets'] : undefined;
  } catch {
    // Not JSON.
  }
  if (!Array.isArray(offsets) || offsets.length !== events) return Array.from({ length: events }, () => NO_PROXY);
  return offsets.map((offset: unknown) => {
    const code = object(offset) ? offset['error_code'] : undefined;
    if (code === undefined || code === null) return undefined;
    const retriable = mayPass(code);
    const text = `the REST proxy could not hand a record to Kafka${retriable ? '' : ', and never will'} (error_code ${JSON.stringify(code)})`;
    return new SinkError('kafka_error', text, { retriable });
  });
}

const NO_PROXY = new SinkError('invalid_answer', 'expected offsets from a REST proxy of Kafka (v2), got another answer');
