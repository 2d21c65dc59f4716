import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';

const SECRET = 'of the platform';
const HOUR = 3600;

const segment = (part: object): string => Buffer.from(JSON.stringify(part)).toString('base64url');

/** A token as Entra's, but for its signature. @param audience whom it is for */
export function token(audience = 'https://storage.azure.com'): string {
  const now = Math.floor(Date.now() / 1000);
  const claims = { aud: audience, iss: 'https://sts.windows.net/tenant/', iat: now - 60, nbf: now - 60, exp: now + HOUR };
  return `${segment({ alg: 'RS256', typ: 'JWT' })}.${segment(claims)}.${Buffer.from('unsigned').toString('base64url')}`;
}

/** The endpoint of App Service from which a container gets tokens of its managed identity. */
export interface IdentityEndpoint {
  /** Environment of a server that has this identity. */
  readonly env: Readonly<Record<string, string>>;
  /** Requests, by resource. */
  readonly asked: (string | null)[];
  /** The token to hand out; undefined: none. */
  token: string | undefined;
}

export async function startIdentityEndpoint(t: TestContext): Promise<IdentityEndpoint> {
  const asked: (string | null)[] = [];
  const server = createServer(({ url = '', headers }, response) => {
    const resource = new URL(url, 'http://localhost').searchParams.get('resource');
    asked.push(resource);
    response.setHeader('content-type', 'application/json');
    if (headers['x-identity-header'] !== SECRET) return response.writeHead(401).end('{}');
    if (endpoint.token === undefined)
      return response.writeHead(400).end('{"error":"invalid_request","error_description":"no identity here"}');
    const expires = String(Math.floor(Date.now() / 1000) + HOUR);
    return response.end(
      JSON.stringify({ access_token: endpoint.token, expires_on: expires, resource, token_type: 'Bearer', client_id: 'id' }),
    );
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/msi/token`;
  const endpoint: IdentityEndpoint = { env: { IDENTITY_ENDPOINT: url, IDENTITY_HEADER: SECRET }, asked, token: token() };
  return endpoint;
}
