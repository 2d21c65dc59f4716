import assert from 'node:assert/strict';
import type { IncomingMessage } from 'node:http';
import test from 'node:test';
import fc from 'fast-check';
import { options } from '../../../server/config/config.ts';
import { ServerError } from '../../../server/errors.ts';
import { contentEncoding, contentLength } from '../../../server/http/body.ts';
import { compress, compressible } from '../../../server/http/compression.ts';
import { Cors } from '../../../server/http/cors.ts';
import type { HttpExchange } from '../../../server/http/exchange.ts';
import { Swagger } from '../../../server/http/swagger.ts';
import { readIds } from '../../../server/request/request-ids.ts';
import { FakeScorer } from '../../http/fake-scorer.ts';
import { assertLinear } from '../linear-time.ts';

/** Characters of a header that Node's parser accepts. */
const value = fc.string({ unit: fc.integer({ min: 0x20, max: 0xff }).map((code) => String.fromCodePoint(code)), maxLength: 300 });
const request = (headers: Record<string, string>, url = '/'): IncomingMessage => ({ headers, url }) as unknown as IncomingMessage;
const config = Object.fromEntries(Object.entries(options).map(([name, option]) => [name, option.default])) as never;
const swagger = new Swagger(config, new FakeScorer(), '/nowhere', {
  platform: { front: undefined },
  routes: [],
  needsCredential: false,
});

/** Fails if a step throws anything but a failure of the table. */
function parse(step: () => void): void {
  try {
    step();
  } catch (thrown) {
    assert.ok(thrown instanceof ServerError, String(thrown));
  }
}

const PARSERS: Record<string, (text: string) => void> = {
  'Content-Encoding': (text) => parse(() => contentEncoding(request({ 'content-encoding': text }))),
  'Content-Length': (text) => parse(() => contentLength(request({ 'content-length': text }))),
  'Accept-Encoding': (text) => compress(text.replaceAll('gzip', 'g'), [], Buffer.alloc(1), () => undefined),
  'Content-Type': (text) => void compressible(text, Buffer.alloc(2000)),
  'Content-Type of a structured syntax': (text) => void compressible(`application/${text}`, Buffer.alloc(2000)),
  Origin: (text) => new Cors(['http://a', 'http://b']).append(request({ origin: text }), []),
  'a request id': (text) => {
    const { id, refusal } = readIds({ 'x-request-id': text, 'x-ms-client-request-id': text, 'x-ms-request-id': text, traceid: text });
    assert.ok(refusal !== undefined || text === '' || id === text);
  },
  traceparent: (text) => {
    const { traceId } = readIds({ traceparent: text });
    assert.match(traceId, /^[0-9a-f]{32}$/);
  },
  'a traceparent of a later version': (text) => void readIds({ traceparent: `01-${'1'.repeat(32)}-${'2'.repeat(16)}-01-${text}` }),
  'a query of swagger': (text) =>
    parse(() =>
      swagger.show({ request: request({}, `/swagger.json?version=9&${text}`), guard: () => undefined } as unknown as HttpExchange),
    ),
};

for (const [name, read] of Object.entries(PARSERS))
  test(`${name} of any text is read or refused`, () => fc.assert(fc.property(value, read)));

/** Repeated texts that have made some parser slow. */
const REPEATED = ['a', ',', ';q=', ' ', '\t,', '+', '.+', '-', '0', 'a=b&', '%41', '&', 'gzi,', '\u00ff', '/'];
const SIZE = 128 * 1024;

for (const [name, read] of Object.entries(PARSERS)) {
  test(`${name} of twice the length takes at most twice as long, with all that a slow machine adds`, () => {
    for (const text of REPEATED) assertLinear(JSON.stringify(text), SIZE, (size) => text.repeat(size / text.length), read);
  });
}
