import assert from 'node:assert/strict';
import test from 'node:test';
import { networks, networksOf } from '../../../server/config/networks.ts';
import { clientAddress } from '../../../server/request/client-address.ts';

const PROXIES = networksOf(['10.0.0.0/8', '192.168.1.1', 'fd00::/8']);
const client = (peer: string | undefined, forwarded?: string): string | undefined => clientAddress(peer, forwarded, PROXIES);

test('without a trusted proxy the client is the other end of the connection, whatever it writes', () => {
  assert.equal(client('203.0.113.7'), '203.0.113.7');
  assert.equal(client('203.0.113.7', '198.51.100.1'), '203.0.113.7');
  assert.equal(client('192.168.1.2', '198.51.100.1'), '192.168.1.2');
  assert.equal(clientAddress('10.0.0.1', '198.51.100.1', networksOf([])), '10.0.0.1');
  assert.equal(client(undefined, '198.51.100.1'), undefined);
});

test('behind trusted proxies the client is the right-most address that is none of them', () => {
  assert.equal(client('10.0.0.1', '198.51.100.1'), '198.51.100.1');
  assert.equal(client('10.0.0.1', '198.51.100.1, 10.2.3.4,192.168.1.1'), '198.51.100.1');
  // The client itself wrote what stands before its own address.
  assert.equal(client('10.0.0.1', '127.0.0.1, 10.9.9.9, 198.51.100.1, 10.2.3.4'), '198.51.100.1');
  assert.equal(client('10.0.0.1', '10.2.3.4, 10.5.6.7'), '10.2.3.4');
});

test('addresses have the forms that proxies write: IPv6, ports, brackets, IPv4 inside IPv6', () => {
  assert.equal(client('::ffff:10.0.0.1', '198.51.100.1:4711'), '198.51.100.1');
  assert.equal(client('fd00::1', '[2001:db8::7]:443'), '2001:db8::7');
  assert.equal(client('fd00::1', '2001:db8::7, [fd00::2]'), '2001:db8::7');
  assert.equal(client('10.0.0.1', '198.51.100.1, ::ffff:10.0.0.2'), '198.51.100.1');
});

test('text that is no address ends the search at the last address that is known', () => {
  for (const text of ['unknown', '', '_hidden', '1.2.3', '1.2.3.4.5', '999.1.1.1', '<script>', 'fd00::1::2', '[::1'])
    assert.equal(client('10.0.0.1', `198.51.100.1, ${text}, 10.0.0.9`), '10.0.0.9', text);
  assert.equal(client('10.0.0.1', ''), '10.0.0.1');
});

test('a header of any length costs a bounded search', () => {
  assert.equal(client('10.0.0.1', Array.from({ length: 5000 }, () => '10.0.0.2').join(',')), '10.0.0.2');
});

test('proxies are addresses and networks of both families, and nothing else', () => {
  assert.deepEqual(networks('10.0.0.0/8, fd00::/8,127.0.0.1'), ['10.0.0.0/8', 'fd00::/8', '127.0.0.1']);
  for (const wrong of ['proxy', '10.0.0.0/33', '10.0.0', 'fd00::/129', '10.0.0.0/-1', '10.0.0.0/8/8', '/8', '10.0.0.0/x'])
    assert.throws(() => networks(wrong), /expected addresses and networks such as 10\.0\.0\.0\/8/, wrong);
});
