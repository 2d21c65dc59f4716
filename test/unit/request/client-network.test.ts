import assert from 'node:assert/strict';
import test from 'node:test';
import { clientNetwork } from '../../../server/request/client-network.ts';

test('a client has an address of IPv4, or 64 bits of IPv6', () => {
  for (const [address, network] of [
    ['10.0.0.1', '10.0.0.1'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:db8:1:2:ffff::', '2001:db8:1:2::/64'],
    ['2001:DB8:0001:2::1', '2001:db8:1:2::/64'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['2001::3:4:5:6:7', '2001:0:0:3::/64'],
    ['::1', '0:0:0:0::/64'],
    ['::', '0:0:0:0::/64'],
    ['1::', '1:0:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['64:ff9b::10.0.0.1', '64:ff9b:0:0::/64'],
    ['1:2:3:4:5:6:10.0.0.1', '1:2:3:4::/64'],
  ] as const)
    assert.equal(clientNetwork(address), network, address);
});
