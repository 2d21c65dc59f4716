import assert from 'node:assert/strict';
import type { IncomingMessage } from 'node:http';
import test from 'node:test';
import { ambiguity } from '../../../server/http/ambiguous.ts';

const withHost = (host: string): IncomingMessage =>
  ({ httpVersion: '1.1', headers: { host }, rawHeaders: ['Host', host] }) as unknown as IncomingMessage;

test('every host that clients send is taken, with a port and without', () => {
  const hosts = [
    '',
    'x',
    'a_b.example',
    'x.',
    'xn--bcher-kva.example',
    '127.0.0.1',
    '[::1]',
    '[::ffff:1.2.3.4]',
    '[fe80::1%eth0]',
    '[fe80::1%25eth0.1]',
  ];
  for (const host of hosts) for (const port of ['', ':', ':5001']) assert.equal(ambiguity(withHost(host + port)), undefined, host + port);
});

test('what is no host is refused in words', () => {
  const hosts = [
    'a b',
    'a/b',
    'a@b',
    'a?b',
    'a#b',
    'a\\b',
    '::1',
    '[::1',
    '[::1%]',
    '[::1%a]b',
    '[x]',
    'a:b',
    'a:1:2',
    'x, y',
    'b\u00fccher',
    'a\tb',
  ];
  for (const host of hosts) assert.match(ambiguity(withHost(host)) ?? '', /^Host: expected a host and a port, got /, host);
});
