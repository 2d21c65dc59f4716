import type { ClientRequest, IncomingMessage } from 'node:http';
import type { ProxyVariables } from '../config/proxies.ts';

// An import would load Node's fetch client, too: http/node-http.ts.
const { Agent: HttpAgent, request: httpRequest } = process.getBuiltinModule('node:http');
const { Agent: HttpsAgent, request: httpsRequest } = process.getBuiltinModule('node:https');

/** Bytes of an answer. */
const LONGEST = 1024 * 1024;
const LIMIT_MS = 5000;

/**
 * Makes a function that GETs the text of one address, through a proxy where there is one for it.
 * The function rejects with an Error that says what was expected. It follows no redirect, because
 * the target of one would decide which keys count.
 * @param limitMs milliseconds until the whole answer must be there
 */
export function textFrom(address: string, proxies: ProxyVariables, limitMs = LIMIT_MS): () => Promise<string> {
  const url = new URL(address);
  const headers = { accept: 'application/json' };
  const proxyEnv = { ...proxies };
  const secure = url.protocol === 'https:' ? new HttpsAgent({ proxyEnv }) : undefined;
  const plain = new HttpAgent({ proxyEnv });
  return async () => {
    const signal = AbortSignal.timeout(limitMs);
    const request = secure ? httpsRequest(url, { headers, signal, agent: secure }) : httpRequest(url, { headers, signal, agent: plain });
    try {
      return await readText(await responseTo(request));
    } catch (error) {
      throw signal.aborted ? new Error(`expected the whole answer within ${limitMs} ms`, { cause: error }) : error;
    } finally {
      request.destroy();
    }
  };
}

function responseTo(request: ClientRequest): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    request.once('response', resolve).on('error', reject).end();
  });
}

async function readText(response: IncomingMessage): Promise<string> {
  const { statusCode: status = 0 } = response;
  if (status !== 200) {
    const redirects = status >= 300 && status < 400 ? ': name the address that it redirects to' : '';
    throw new Error(`expected status 200, got ${status}${redirects}`);
  }
  const pieces: Buffer[] = [];
  let bytes = 0;
  for await (const piece of response as AsyncIterable<Buffer>) {
    bytes += piece.length;
    if (bytes > LONGEST) throw new Error(`expected at most ${LONGEST} bytes, got more`);
    pieces.push(piece);
  }
  return Buffer.concat(pieces).toString();
}
