import { AddressGuard, parseNetwork } from '../../../src/platform/outbound/addresses';

const guard = new AddressGuard([]);

it.each([
  '93.184.216.34',
  '8.8.8.8',
  '2606:4700:4700::1111',
  // Through a translator to an address of the internet.
  '64:ff9b::808:808',
  '::ffff:8.8.8.8',
])('%s is of the internet', (address) => {
  expect(guard.allows(address)).toBe(true);
});

it.each([
  ['this machine', '127.0.0.1'],
  ['this machine', '127.255.255.254'],
  ['this machine', '::1'],
  ['any address of this machine', '0.0.0.0'],
  ['any address of this machine', '::'],
  ['a private network', '10.0.0.1'],
  ['a private network', '172.31.255.255'],
  ['a private network', '192.168.1.1'],
  ['a private network', 'fd00::1'],
  ['what is shared behind a carrier', '100.64.0.1'],
  ["a link, with a cloud's metadata", '169.254.169.254'],
  ['a link', 'fe80::1'],
  ['a link, by an interface', 'fe80::1%eth0'],
  ["what a cloud's machines are configured by", '168.63.129.16'],
  ['a site, as it was once', 'fec0::1'],
  ['documentation', '192.0.2.1'],
  ['documentation', '2001:db8::1'],
  ['benchmarks', '198.18.0.1'],
  ['many', '224.0.0.1'],
  ['many', 'ff02::1'],
  ['everybody', '255.255.255.255'],
  ['nobody yet', '240.0.0.1'],
  ['IPv4, written in IPv6', '::ffff:127.0.0.1'],
  ['IPv4, written in IPv6 as it was once', '::127.0.0.1'],
  ['IPv4, through a translator', '64:ff9b::7f00:1'],
  ["IPv4, through a network's own translator", '64:ff9b:1::808:808'],
  ['IPv4, through a tunnel', '2002:7f00:1::'],
  ['IPv4, through a tunnel', '2001::1'],
  ['no part of the internet', '4000::1'],
])('is inside: %s (%s)', (_, address) => {
  expect(guard.allows(address)).toBe(false);
});

it('what an operator has named may be reached, and nothing beside it', () => {
  const named = new AddressGuard([parseNetwork('10.1.0.0/16'), parseNetwork('fd12::/16')]);
  expect(['10.1.2.3', '::ffff:10.1.2.3', '64:ff9b::a01:203', 'fd12::1'].map((one) => named.allows(one))).toEqual([
    true,
    true,
    true,
    true,
  ]);
  expect(['10.2.0.1', '127.0.0.1', 'fd13::1'].map((one) => named.allows(one))).toEqual([false, false, false]);
});

it('a name that leads inside leads nowhere', async () => {
  const looked = new Promise((resolve) => guard.lookup('localhost', { all: true }, (error) => resolve(error)));
  expect(await looked).toMatchObject({ code: 'ERR_INTERNAL_ADDRESS' });
});

it.each([{ all: true }, {}])('a name that may be followed is resolved as it was asked for: %j', async (options) => {
  const named = new AddressGuard([parseNetwork('127.0.0.0/8'), parseNetwork('::1/128')]);
  const looked = new Promise((resolve) => named.lookup('localhost', options, (_, found) => resolve(found)));
  expect(Array.isArray(await looked)).toBe('all' in options);
});
