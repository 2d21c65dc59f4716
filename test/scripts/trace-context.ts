import type { RequestContext } from 'scoring-server';
export const init = (): void => undefined;
export function run(what: string, request: RequestContext): string {
  if (what === 'throw') throw new Error('thrown');
  return request.traceparent;
}
