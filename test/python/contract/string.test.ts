import { contract, type Case } from './contract.ts';

const LARGE = 30 * 1024 * 1024;
const TEXT = '{"data": [[1, 2.50], ["é", null]]}\n';
const form = 'the peer loses the body of a form; every byte of a body reaches run() in ours';
const lost = { json: { type: 'str', length: 0, sha1: 'da39a3ee5e6b4b0d3255bfef95601890afd80709', start: '' } };

const types = [
  'application/json',
  'application/json; charset=utf-8',
  'application/vnd.api+json',
  'text/plain',
  'text/csv',
  'application/octet-stream',
  'image/png',
  'nonsense',
];

const queries = [
  '',
  '?',
  '?a=1',
  '?a=1&b=[1,2]&c=a&d=null&e=x&e=2&f=1.50&g=true&h="q"',
  '?a=',
  '?a',
  '?=1',
  '?a=%C3%A9&b=%ff&c=a+b&d=a%2Bb',
  '?a={"b":{"c":[1]}}',
  '?a=NaN&b=Infinity',
  '?a=1e400',
  '?a=12345678901234567890',
  '?a=1&&b=2',
  '?a;b=1',
];

contract('string mode', { script: 'echo.py', besidePeersPackages: true }, [
  ...types.map((type): Case => ({ name: `gets a body of type ${type}`, headers: { 'content-type': type }, body: TEXT })),
  { name: 'gets a body without a content type', body: TEXT },
  { name: 'gets an empty body', body: '' },
  { name: 'gets a POST without a body', method: 'POST' },
  { name: 'gets JSON that is broken', headers: { 'content-type': 'application/json' }, body: '{bad' },
  { name: 'gets bare words that JSON lacks', headers: { 'content-type': 'application/json' }, body: '[NaN, Infinity]' },
  { name: 'gets a byte order mark', headers: { 'content-type': 'application/json' }, body: '\uFEFF{}' },
  { name: 'gets control characters', body: 'a\u0000b\r\nc\u2028' },
  { name: 'gets characters beyond the first plane', body: '𝄞 🙂' },
  { name: 'refuses bytes that are not UTF-8', body: Buffer.from([0xff, 0xfe, 0x00]), both: { status: 400 } },
  { name: 'names the byte in the middle that is not UTF-8', body: Buffer.from([0x61, 0x62, 0xc3, 0x28]), both: { status: 400 } },
  { name: 'names bytes that end too early', body: Buffer.from([0x61, 0xe2, 0x82]), both: { status: 400 } },
  { name: 'refuses a surrogate in UTF-8', body: Buffer.from([0x61, 0xed, 0xa0, 0x80]), both: { status: 400 } },
  {
    name: 'gets a form',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: '{"data": 1}',
    differs: {
      because: form,
      peer: { body: lost },
      ours: { body: { json: { type: 'str', length: 11, sha1: '4195ba5ab1109e12f689d7289d3cd6b69c1f67f5', start: '{"data": 1}' } } },
    },
  },
  { name: 'gets 30 MB', headers: { 'content-type': 'application/json' }, body: '7'.repeat(LARGE) },
  { name: 'gets a chunked body', headers: { 'content-type': 'application/json' }, chunks: ['{"a":', ' "é', '"}'] },
  ...queries.map((query): Case => ({ name: `gets the query ${query} of a GET as JSON`, path: `/score${query}` })),
  { name: 'gets the query of a GET, not its body', method: 'GET', path: '/score?a=1', body: '{"b":2}' },
  { name: 'ignores the query of a POST', path: '/score?a=1', body: 'x' },
  {
    name: 'refuses HEAD',
    method: 'HEAD',
    both: { status: 405 },
    differs: { because: 'a 405 names the methods that are allowed', peer: {}, ours: { allow: 'GET, OPTIONS, POST' } },
  },
  { name: 'answers OPTIONS', method: 'OPTIONS', both: { status: 200 } },
]);
