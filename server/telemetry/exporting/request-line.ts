import { LONGEST_PROPERTY, LONGEST_URL } from './insights-fields.ts';
import type { RequestItem } from './items.ts';

/** Which of the texts that not every request has this one has, and whether its answer is cut. */
export const HEAD_BITS = { clientRequestId: 1, parentId: 2, response: 4 };
export const CUT = 8;

/** What all requests with the same head have in common. */
export interface RequestHead {
  readonly method: string;
  readonly status: number;
  /** `HEAD_BITS` and `CUT`. */
  readonly has: number;
  readonly route: string;
}

/** Order of the texts in a line. */
export const TEXTS = ['url', 'requestId', 'traceId', 'spanId', 'clientRequestId', 'parentId', 'response'] as const;

/** A request on its way from the host to the thread. */
export interface RequestLine {
  /** See `readHead`. */
  readonly head: string;
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly us: number;
  /** JSON strings, quotes included; an empty span id: the thread may choose one. What the request lacks is left out. */
  readonly texts: readonly string[];
}

/**
 * Writes one line for a request. The host does this for every request, so it does no more than it must, and its texts are ready to be
 * put into an envelope: nothing is parsed only to be written again. JSON has neither tabs nor ends of lines: they part what a line has.
 */
export function writeRequestLine(item: RequestItem): string {
  const { method, route, status, at, ms, url, requestId, clientRequestId, traceId, spanId, parentId, response } = item;
  let has = 0;
  let optional = '';
  if (clientRequestId !== undefined) {
    has |= HEAD_BITS.clientRequestId;
    optional += `\t${JSON.stringify(clientRequestId)}`;
  }
  if (parentId !== undefined) {
    has |= HEAD_BITS.parentId;
    optional += `\t"${parentId}"`;
  }
  if (response !== undefined) {
    has |= HEAD_BITS.response;
    if (response.length > LONGEST_PROPERTY) has |= CUT;
    optional += `\t${JSON.stringify(response.slice(0, LONGEST_PROPERTY))}`;
  }
  const head = `${method} ${status} ${has} ${JSON.stringify(route)}`;
  const times = `${Math.round(at)}\t${Math.round(ms * 1000)}`;
  const ids = `${JSON.stringify(requestId)}\t"${traceId}"\t${spanId === undefined ? '' : `"${spanId}"`}`;
  return `${head}\t${times}\t${JSON.stringify(url.slice(0, LONGEST_URL))}\t${ids}${optional}`;
}

export function readRequestLine(line: string): RequestLine {
  const [head = '', at, us, ...texts] = line.split('\t');
  return { head, at: Number(at), us: Number(us), texts };
}

/** Reads `method status has "route"`. */
export function readHead(head: string): RequestHead {
  const [method = '', status, has, ...route] = head.split(' ');
  return { method, status: Number(status), has: Number(has), route: JSON.parse(route.join(' ')) as string };
}
