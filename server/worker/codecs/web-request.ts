import type { WorkerRequest } from '../request-context.ts';

/** A request as a web-standard Request, for scripts with `rawHttp`. */
export function toWebRequest(request: WorkerRequest, body: Buffer): Request {
  const { method, headers, signal } = request;
  const withoutBody = method === 'GET' || method === 'HEAD';
  const init: RequestInit = { method, headers, signal };
  if (!withoutBody) init.body = new Uint8Array(body);
  return new Request(absoluteUrl(request), init);
}

function absoluteUrl({ url: target, headers }: WorkerRequest): string {
  const path = target.replace(/^\/+/, '/');
  const url = URL.parse(`http://${headers.get('host') ?? 'localhost'}${path}`);
  // A Request takes no URL with credentials.
  return url === null || url.username !== '' || url.password !== '' ? `http://localhost${path}` : url.href;
}
