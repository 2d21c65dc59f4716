import { contract, type Case, type Difference } from './contract.ts';

const A = 'x-request-id';
const B = 'x-ms-request-id';
const C = 'x-ms-client-request-id';
const long = 'x'.repeat(101);
const id = (headers: Record<string, string>): Case => ({
  name: `ids: ${
    Object.entries(headers)
      .map(([name, value]) => `${name}=${value.slice(0, 9)}`)
      .join(' ') || 'none'
  }`,
  body: 'x',
  headers,
});

/** An answer of routing, which the peer sends bare. */
const routed = (allow?: string): Difference => ({
  because: 'every answer has ids and the version, and 405 names the methods',
  peer: {},
  ours: { [A]: 'a new id', [B]: 'a new id', 'x-ms-server-version': 'a version', ...(allow === undefined ? {} : { allow }) },
});

const matrix = [0, 1, 2, 3, 4, 5, 6, 7].map((bits) =>
  id({ ...(bits & 1 ? { [A]: 'a' } : {}), ...(bits & 2 ? { [B]: 'b' } : {}), ...(bits & 4 ? { [C]: 'c' } : {}) }),
);

contract('the front door', { script: 'echo.py' }, [
  ...matrix,
  {
    ...id({ [A]: '' }),
    name: 'ids: an empty x-request-id',
    differs: { because: 'an empty header counts as absent', peer: {}, ours: { [A]: 'a new id', [B]: 'a new id' } },
  },
  { ...id({ [B]: '' }), name: 'ids: an empty x-ms-request-id' },
  { ...id({ [C]: '' }), name: 'ids: an empty x-ms-client-request-id' },
  { ...id({ [A]: 'x'.repeat(100) }), name: 'ids: 100 characters' },
  { ...id({ [A]: long }), name: 'ids: a long x-request-id', both: { status: 431 } },
  { ...id({ [B]: long }), name: 'ids: a long x-ms-request-id', both: { status: 431 } },
  { ...id({ [C]: long }), name: 'ids: a long x-ms-client-request-id', both: { status: 431 } },
  { ...id({ [A]: 'a', [C]: long }), name: 'ids: a long client id beside a request id', both: { status: 431 } },
  { name: 'echoes TraceId', body: 'x', headers: { TraceId: 'my trace' } },
  { name: 'answers the probe', path: '/', both: { status: 200, body: 'Healthy' } },
  { name: 'answers HEAD of the probe', method: 'HEAD', path: '/' },
  { name: 'answers OPTIONS of the probe', method: 'OPTIONS', path: '/' },
  { name: 'knows no other path', path: '/other', both: { status: 404 }, differs: routed() },
  { name: 'knows no path with a slash at its end', path: '/score/', body: 'x', both: { status: 404 }, differs: routed() },
  { name: 'tells capitals from small letters', path: '/Score', body: 'x', both: { status: 404 }, differs: routed() },
  { name: 'takes //score', path: '//score', body: 'x', both: { status: 200 } },
  { name: 'takes a path with escapes', path: '/%73core', body: 'x' },
  ...['PUT', 'DELETE', 'PATCH'].map((method): Case => ({
    name: `refuses ${method}`,
    method,
    body: 'x',
    both: { status: 405 },
    differs: routed('GET, OPTIONS, POST'),
  })),
  { name: 'refuses POST of the probe', method: 'POST', path: '/', body: 'x', both: { status: 405 }, differs: routed('GET, HEAD, OPTIONS') },
  { name: 'describes a script without a schema, version 2', path: '/swagger.json' },
  { name: 'describes a script without a schema, version 3', path: '/swagger.json?version=3' },
  { name: 'describes a script without a schema, version 3.1', path: '/swagger.json?version=3.1' },
  { name: 'waits for 100-continue', body: 'x', headers: { expect: '100-continue' } },
  { name: 'sends no CORS headers', body: 'x', headers: { origin: 'https://a.example' } },
]);

const preflight = {
  origin: 'https://a.example',
  'access-control-request-method': 'POST',
  'access-control-request-headers': 'x-mine, content-type',
};
const vary: Difference = {
  because: 'a cache may not give an answer without the header to the origin that is allowed',
  peer: {},
  ours: { vary: 'Origin' },
};

/** The cases of CORS, with what differs by the name of the case. */
function cors(differences: Readonly<Record<string, Difference>> = {}): Case[] {
  const cases: Case[] = [
    { name: 'allows its origin', body: 'x', headers: { origin: 'https://a.example' } },
    { name: 'serves another origin', body: 'x', headers: { origin: 'https://b.example' } },
    { name: 'serves a request without an origin', body: 'x' },
    { name: 'answers a preflight', method: 'OPTIONS', headers: preflight },
    {
      name: 'answers a preflight for another method',
      method: 'OPTIONS',
      headers: { ...preflight, 'access-control-request-method': 'PUT' },
    },
    { name: 'answers a preflight of another origin', method: 'OPTIONS', headers: { ...preflight, origin: 'https://b.example' } },
    { name: 'sends it with the probe', path: '/', headers: { origin: 'https://a.example' } },
    { name: 'sends it with the document', path: '/swagger.json', headers: { origin: 'https://a.example' } },
  ];
  return cases.map((each) => ({ ...each, ...(differences[each.name] === undefined ? {} : { differs: differences[each.name]! }) }));
}

contract('CORS of one origin', { script: 'echo.py', env: { AML_CORS_ORIGINS: 'https://a.example' } }, cors());
contract(
  'CORS of two origins',
  { script: 'echo.py', env: { AML_CORS_ORIGINS: 'https://c.example , https://a.example' } },
  cors({
    'serves another origin': vary,
    'answers a preflight of another origin': vary,
    'serves a request without an origin': {
      because: 'the first is the first of the list, not the first in the order of letters',
      peer: { 'access-control-allow-origin': 'https://a.example' },
      ours: { 'access-control-allow-origin': 'https://c.example' },
    },
  }),
);
contract(
  'CORS of all origins',
  { script: 'echo.py', env: { AML_CORS_ORIGINS: '*', SERVER_VERSION_LOG_RESPONSE_ENABLED: 'false' } },
  cors({ 'serves a request without an origin': vary }),
);
