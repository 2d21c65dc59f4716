import { LONGEST_PROPERTY, LONGEST_URL } from './insights-fields.ts';
import type { RequestItem } from './items.ts';

/** Bits of a head: the optional texts that a request has. */
export const HEAD_BITS = { clientRequestId: 1, parentId: 2, response: 4 };
/** Bit of a head: the answer's text is cut. */
export const CUT = 8;

/** Common to all requests with the same head. */
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
  /**
   * JSON strings, quotes included, without optional texts that the request lacks. Where the span id
   * is empty, the thread chooses one.
   */
  readonly texts: readonly string[];
}

/**
 * Writes one line for a request. It does no more than it must, because the host calls it for every
 * request. Its texts are ready for an envelope: the thread neither parses nor writes them again.
 * Tabs separate fields, because JSON contains neither tabs nor line ends.
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
  return { method, status: Number(status), has: Number(has), route: String(JSON.parse(route.join(' '))) };
}
