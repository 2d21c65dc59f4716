import { describeThrown } from '../../errors.ts';
import { object } from '../../guards/checks.ts';
import type { Block } from '../encode/block.ts';
import type { Post } from './event-sinks.ts';
import { SinkError } from './sink.ts';

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
