import { ServerError } from '../../errors.ts';
import { parse } from '../../guards/built-ins.ts';
import { excerpt } from '../../guards/excerpt.ts';
import type { WorkerRequest } from '../request-context.ts';
import { endToEnd } from '../transfer-headers.ts';
import { decodeBody, unreadable } from './content-types.ts';

/** Key of the answer to a body that its client has sent in a wrong form. */
const REFUSAL = Symbol('refusal');

/**
 * The answer to an error that a Request of this server threw because of its client's body;
 * undefined for any other error.
 */
export function refusalOf(thrown: unknown): ServerError | undefined {
  const refusal: unknown = thrown instanceof Error ? Reflect.get(thrown, REFUSAL) : undefined;
  return refusal instanceof ServerError ? refusal : undefined;
}

/** A request as a web-standard Request, for scripts with `rawHttp`. */
export function toWebRequest(request: WorkerRequest, body: Buffer): Request {
  const { method, signal } = request;
  const withoutBody = method === 'GET' || method === 'HEAD';
  const init: RequestInit = { method, headers: headersOf(request, withoutBody ? undefined : body.length), signal };
  if (!withoutBody) init.body = new Uint8Array(body);
  return marking(new Request(absoluteUrl(request), init));
}

/**
 * Makes a Request mark its errors of a client's body. A script that catches them sees those of any
 * Request.
 */
function marking(request: Request): Request {
  const formData = request.formData.bind(request);
  const clone = request.clone.bind(request);
  return Object.defineProperties(request, {
    json: { value: () => readJson(request) },
    formData: { value: () => (request.bodyUsed ? formData() : readForm(formData, request.headers.get('content-type'))) },
    clone: { value: () => marking(clone()) },
  });
}

async function readJson(request: Request): Promise<unknown> {
  const text = await request.text();
  try {
    return parse(text);
  } catch (thrown) {
    throw marked(thrown, refusalOfJson(text));
  }
}

async function readForm(formData: Request['formData'], contentType: string | null): Promise<FormData> {
  try {
    return await formData();
  } catch (thrown) {
    throw marked(thrown, refusalOfForm(contentType));
  }
}

/**
 * Headers that describe the body as it is here: inflated, and whole.
 * @param length of the body in bytes; undefined: it has none
 */
function headersOf({ headers }: WorkerRequest, length: number | undefined): [string, string][] {
  const passed = endToEnd([...headers]).filter(([name]) => name !== 'content-encoding' && name !== 'expect');
  return length === undefined ? passed : [...passed, ['content-length', String(length)]];
}

function absoluteUrl({ url: target, headers }: WorkerRequest): string {
  const path = target.replace(/^\/+/, '/');
  const url = URL.parse(`http://${headers.get('host') ?? 'localhost'}${path}`);
  // A Request takes no URL with credentials.
  return url === null || url.username !== '' || url.password !== '' ? `http://localhost${path}` : url.href;
}

function marked(thrown: unknown, refusal: ServerError): unknown {
  return thrown instanceof Error ? Object.defineProperty(thrown, REFUSAL, { value: refusal }) : thrown;
}

/** As a script without `rawHttp` would have refused it. */
function refusalOfJson(text: string): ServerError {
  try {
    decodeBody(Buffer.from(text), undefined, 'json', false);
  } catch (thrown) {
    return unreadable(thrown);
  }
  return new ServerError('bad_json', 'POST body could not be decoded as JSON.');
}

function refusalOfForm(contentType: string | null): ServerError {
  const mediaType = (contentType ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '';
  const why =
    mediaType === 'multipart/form-data'
      ? 'expected parts between the boundary that its content type names, got other bytes'
      : `expected the content type multipart/form-data or application/x-www-form-urlencoded, got ${contentType === null ? 'none' : excerpt(contentType)}`;
  return new ServerError('invalid_input', `POST body could not be read as a form: ${why}`);
}
