import type { RedactableBody, RedactedBody } from '../../ipc/redaction.ts';
import { queryJson } from '../../request/query.ts';
import { Body, isKept, type ExchangeRecord, type Side } from '../records.ts';

type Half = RedactableBody['collection'];
const halves: readonly Half[] = ['request', 'response'];

/** The record without its query, of which nothing may be kept unseen by the hook. */
export function withoutQuery(record: ExchangeRecord): ExchangeRecord {
  const at = record.url.indexOf('?');
  return at < 0 ? record : { ...record, url: record.url.slice(0, at) };
}

/** The query as the body of a request that has none: the object that `run()` gets, as JSON. */
export function queryAsBody(record: ExchangeRecord): ExchangeRecord {
  const { url, request } = record;
  const json = isKept(request) && request.bodyBytes === 0 ? queryJson(url) : undefined;
  if (json === undefined) return record;
  const query = Buffer.from(json);
  return { ...record, request: { ...request, state: Body.kept, contentType: 'application/json', body: [query], bodyBytes: query.length } };
}

/** The halves that have something to redact. */
export function redactable(record: ExchangeRecord): RedactableBody[] {
  return halves.flatMap((collection) => {
    const side = record[collection];
    return isKept(side) && side.bodyBytes > 0 ? [{ collection, contentType: side.contentType, body: side.body }] : [];
  });
}

/** @param results of the bodies that `redactable` listed, in their order */
export function withRedacted(record: ExchangeRecord, bodies: readonly RedactableBody[], results: readonly RedactedBody[]): ExchangeRecord {
  const changed = bodies.map(({ collection }, at): [Half, Side] => [collection, replaced(record[collection], results[at])]);
  return { ...record, ...Object.fromEntries(changed) };
}

function replaced(side: Side, redacted: RedactedBody): Side {
  if (typeof redacted !== 'object') return { ...side, state: Body.notRedacted, body: [], bodyBytes: 0 };
  const state = side.state === Body.partial ? Body.partial : Body.kept;
  return { ...side, state, contentType: redacted.contentType, body: [redacted.body], bodyBytes: redacted.body.length };
}
