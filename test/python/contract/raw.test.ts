import { contract, type Case } from './contract.ts';

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

contract('raw mode', { script: 'raw.py', besidePeersPackages: true }, [
  ...['GET', 'POST', 'OPTIONS'].map((method): Case => ({ name: `passes ${method} to run()`, method, both: { status: 200 } })),
  { name: 'passes HEAD to run()', method: 'HEAD', both: { status: 200 } },
  { name: 'refuses PUT', method: 'PUT', body: 'x' },
  show('method'),
  show('path', { query: '&a=1&b=%20x' }),
  show('url', { query: '&a=1' }),
  show('scheme'),
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
  show('json', { title: 'json of another type', body: '{"a": 1}', headers: { 'content-type': 'text/plain' } }),
  show('json', { title: 'json that is broken', body: '{bad', headers: JSON_TYPE }),
  show('get_json', { title: 'json that is broken, silently', body: '{bad', headers: JSON_TYPE }),
  show('get_json, forced', { body: '{"a": 1}', headers: { 'content-type': 'text/plain' } }),
  show('form', { headers: FORM, body: 'a=1&b=%C3%A9+x&a=2' }),
  show('files', { headers: MULTIPART, body: FILES }),
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
