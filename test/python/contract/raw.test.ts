import { contract, type Case, type Difference } from './contract.ts';
import { FAILED } from './failures.ts';

const JSON_TYPE = { 'content-type': 'application/json' };
const FORM = { 'content-type': 'application/x-www-form-urlencoded' };
const BOUNDARY = 'a-boundary';
const FILES = [
  `--${BOUNDARY}`,
  'Content-Disposition: form-data; name="image"; filename="a.png"',
  'Content-Type: image/png',
  '',
  'not a picture',
  `--${BOUNDARY}`,
  'Content-Disposition: form-data; name="image"; filename="b é.txt"',
  '',
  'second\r\n',
  `--${BOUNDARY}`,
  'Content-Disposition: form-data; name="field"',
  '',
  'value',
  `--${BOUNDARY}--`,
  '',
].join('\r\n');
const MULTIPART = { 'content-type': `multipart/form-data; boundary=${BOUNDARY}` };

/** Asks run() to show a part of its request. */
function show(what: string, more: Partial<Case> & { readonly title?: string; readonly query?: string } = {}): Case {
  const { title = what, query = '', ...call } = more;
  return { name: `shows ${title}`, path: `/score?show=${encodeURIComponent(what)}${query}`, ...call };
}

/** A body that the client has to change: 500 in the peer. */
function unread(status: number, message: string, besideMessage: string): Difference {
  const ours = { status, 'x-ms-run-function-failed': 'False' };
  return {
    because: "a client's fault is answered with its reason",
    peer: { status: 500, 'x-ms-run-function-failed': 'True', body: FAILED },
    ours: { ...ours, body: { json: { message } } },
    beside: { ...ours, body: { json: { message: besideMessage } } },
  };
}

contract('raw mode', { script: 'raw.py', besidePeersPackages: true }, [
  ...['GET', 'POST', 'OPTIONS'].map((method): Case => ({ name: `passes ${method} to run()`, method, both: { status: 200 } })),
  { name: 'passes HEAD to run()', method: 'HEAD', both: { status: 200 } },
  {
    name: 'refuses PUT',
    method: 'PUT',
    body: 'x',
    differs: {
      because: 'every answer has ids and the version, and 405 names the methods',
      peer: {},
      ours: {
        'x-request-id': 'a new id',
        'x-ms-request-id': 'a new id',
        'x-ms-server-version': 'a version',
        allow: 'GET, HEAD, OPTIONS, POST',
      },
    },
  },
  show('method'),
  show('path', { query: '&a=1&b=%20x' }),
  show('url', { query: '&a=1' }),
  show('root'),
  show('scheme'),
  show('address', {
    differs: {
      because: 'the frame of a request has no address: behind a front end it is that of the front end',
      peer: { body: { json: { shown: '127.0.0.1' } } },
      ours: { body: { json: { shown: null } } },
    },
  }),
  show('args', { query: '&a=1&a=2&b=&n=5' }),
  show('headers', { headers: { 'x-mine': ['1', '2'], 'test-header': 'é' } }),
  show('header', { headers: { 'x-mine': 'yes' } }),
  show('type', { headers: { 'content-type': 'text/plain; charset=utf-8; a="b c"' }, body: 'x' }),
  show('type', { title: 'the type of JSON', headers: { 'content-type': 'application/ld+json' }, body: '{}' }),
  show('type', { title: 'the type of a GET' }),
  show('data', { body: Buffer.from([0, 255, 10, 13]), headers: { 'content-type': 'application/octet-stream' } }),
  show('data', { title: 'data without a type', body: 'x' }),
  show('data', { title: 'data of a form', headers: FORM, body: 'a=1' }),
  show('data', { title: 'no data', method: 'POST' }),
  show('get_data', { body: '{"é": 1}', headers: JSON_TYPE }),
  show('data, then json', { body: '{"a": 1}', headers: JSON_TYPE }),
  show('stream', { body: 'streamed', headers: JSON_TYPE }),
  show('data', { title: 'data of chunks', chunks: ['one', 'two'] }),
  show('json', { body: '{"a": [1, null]}', headers: JSON_TYPE }),
  show('json', {
    title: 'json of another type',
    body: '{"a": 1}',
    headers: { 'content-type': 'text/plain' },
    differs: unread(
      415,
      'Expects Content-Type to be application/json',
      "Did not attempt to load JSON data because the request Content-Type was not 'application/json'.",
    ),
  }),
  show('json', {
    title: 'json that is broken',
    body: '{bad',
    headers: JSON_TYPE,
    differs: unread(
      400,
      'POST body could not be decoded as JSON: Expecting property name enclosed in double quotes: line 1 column 2 (char 1)',
      'The browser (or proxy) sent a request that this server could not understand.',
    ),
  }),
  show('get_json', { title: 'json that is broken, silently', body: '{bad', headers: JSON_TYPE }),
  show('get_json, forced', { body: '{"a": 1}', headers: { 'content-type': 'text/plain' } }),
  show('form', { headers: FORM, body: 'a=1&b=%C3%A9+x&a=2' }),
  show('files', { headers: MULTIPART, body: FILES }),
  show('files', { title: 'files of lines without a carriage return', headers: MULTIPART, body: FILES.replaceAll('\r\n', '\n') }),
  show('files', {
    title: 'a file with a name in UTF-8',
    headers: { 'content-type': `multipart/form-data; boundary="${BOUNDARY}"` },
    body: FILES.replace('filename="a.png"', 'filename="x"; filename*=UTF-8\'\'%E2%82%AC.png'),
  }),
  show('agent', { headers: { 'user-agent': 'a/1', origin: 'https://a.example' } }),
  show('values', { query: '&a=1', headers: FORM, body: 'b=2' }),
  show('cookies', { headers: { cookie: 'a=b; c="d e"; f=%20' } }),
  show('accept', { headers: { accept: 'text/html;q=0.5, application/json', 'accept-language': 'de, en;q=0.3' } }),
  show('authorization', { headers: { authorization: 'Bearer key' } }),
  show('truth'),
  show('environ', { query: '&a=%20', headers: { 'x-mine': 'yes' } }),
  { name: 'has full_path with a question mark alone', path: '/score', both: { status: 200 } },
  { name: 'describes itself without a schema', path: '/swagger.json' },
  { name: 'answers an exception of run()', path: '/score?show=nothing', both: { status: 500 } },
]);
