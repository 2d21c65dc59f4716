import assert from 'node:assert/strict';
import { Agent } from 'node:http';
import test from 'node:test';
import { proxiesOf, withProxies } from '../../../server/config/proxies.ts';

const LOCAL = ['localhost', '127.0.0.1', '::1', '[::1]', '169.254.169.254'];
/** An agent of Node throws where it gets one of these. */
const WRONG = [
  'http://',
  '://s3cret',
  'http://[',
  'http://s3cret:99999',
  'http://s3cret:%zz@proxy',
  'http://%E0%A4%A@proxy',
  'http://s3cret\r\nx',
];
const read = (env: Record<string, string>): Readonly<Record<string, string | undefined>> => proxiesOf(withProxies(env).env);

test('a proxy is read in either case, lower case first, and given in both', () => {
  const { env, problems } = withProxies({ http_proxy: 'http://lower', HTTP_PROXY: 'http://upper', HTTPS_PROXY: 'https://s', PATH: '/bin' });
  assert.deepEqual(
    [env['http_proxy'], env['HTTP_PROXY'], env['https_proxy'], env['HTTPS_PROXY'], env['PATH']],
    ['http://lower', 'http://lower', 'https://s', 'https://s', '/bin'],
  );
  assert.deepEqual(problems, []);
  assert.equal(read({ http_proxy: '', HTTP_PROXY: 'http://upper' })['http_proxy'], 'http://upper');
});

test('a proxy without a scheme speaks HTTP; one of another kind is removed, and told without its text', () => {
  assert.equal(read({ http_proxy: 'proxy:3128' })['http_proxy'], 'http://proxy:3128');
  assert.equal(read({ http_proxy: 'user:p%40ss@proxy:3128' })['http_proxy'], 'http://user:p%40ss@proxy:3128');
  for (const wrong of [...WRONG, 'socks5://s3cret@proxy', 's3cret proxy']) {
    const { env, problems } = withProxies({ https_proxy: wrong, http_proxy: 'http://right' });
    assert.ok(!('https_proxy' in env) && !('HTTPS_PROXY' in env) && env['http_proxy'] === 'http://right', wrong);
    assert.match(problems.join(), /^https_proxy: expected an http:\/\/ or https:\/\/ URL, got another text/);
    assert.ok(!problems.join().includes('s3cret'));
  }
});

test('what is kept, an agent of Node takes', () => {
  for (const text of [
    ...WRONG,
    'http://right\n',
    ' http://right',
    'http://user:p%40ss@right:1',
    'HTTP://right',
    'right',
    'http://right/path',
  ])
    for (const name of ['http_proxy', 'https_proxy', 'HTTPS_PROXY', 'all_proxy'])
      assert.doesNotThrow(
        () => new Agent({ proxyEnv: { ...read({ [name]: text, no_proxy: '[::1],10.0.0.0/8,-,a b' }) } }),
        `${name}=${text}`,
      );
  assert.equal(read({ https_proxy: 'http://right\n' })['https_proxy'], 'http://right');
});

test('all_proxy is the proxy of each scheme that has none of its own', () => {
  const { env, problems } = withProxies({ ALL_PROXY: 'http://all', https_proxy: 'http://own' });
  assert.deepEqual([env['http_proxy'], env['https_proxy'], problems], ['http://all', 'http://own', []]);
  // Azure's SDK would read it in another order, and in spite of no_proxy.
  assert.ok(!('all_proxy' in env) && !('ALL_PROXY' in env));
  assert.deepEqual(withProxies({ all_proxy: 'socks5://s3cret' }).problems.length, 1);
  assert.match(withProxies({ all_proxy: 'socks5://s3cret' }).problems.join(), /^all_proxy: expected/);
  const none = withProxies({ all_proxy: 'http://all', no_proxy: '*' }).env;
  assert.deepEqual([none['http_proxy'], none['https_proxy'], none['all_proxy']], [undefined, undefined, undefined]);
});

test('no_proxy keeps what is given, and gets subdomains, this machine and the endpoint of the identity', () => {
  assert.deepEqual(read({})['no_proxy']?.split(','), LOCAL);
  const env = { NO_PROXY: 'example.com, 10.0.0.1,.corp, host:8080', IDENTITY_ENDPOINT: 'http://169.254.129.2:8081/msi/token' };
  assert.deepEqual(read(env)['no_proxy']?.split(','), [
    'example.com',
    '.example.com',
    '10.0.0.1',
    '.corp',
    'host:8080',
    ...LOCAL,
    '169.254.129.2',
  ]);
});

test('with * in no_proxy there is no proxy', () => {
  const { http_proxy, https_proxy } = read({ http_proxy: 'http://a', HTTPS_PROXY: 'http://b', no_proxy: 'x,*' });
  assert.deepEqual([http_proxy, https_proxy], [undefined, undefined]);
});
