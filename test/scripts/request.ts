import type { RequestContext } from 'scoring-server';
export function init() {}
export const run = (_data: unknown, request: RequestContext) => ({
  id: request.id,
  clientRequestId: request.clientRequestId,
  traceId: request.traceId,
  method: request.method,
  url: request.url,
  query: Object.fromEntries(request.query),
  header: request.headers.get('X-Custom'),
});
