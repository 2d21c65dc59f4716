import type { RequestContext } from 'scoring-server';
export const inputType = 'text';
export function init() {}
/** Logs each request that runs, and answers with what it got. */
export function run(data: string, request: RequestContext) {
  console.log(`ran ${request.url}`);
  return { url: request.url, data };
}
