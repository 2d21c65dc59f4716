import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { pairOf, type Pair, unreadable } from '../../../server/access/certificate-files.ts';
import { ServerError } from '../../../server/errors.ts';
import { readFiles } from '../../../server/system/watched-files.ts';
import { folder } from '../../set-up/folder.ts';
import { makeAuthority, makePair, openssl, type TlsPair } from '../../set-up/tls-files.ts';

const home = folder();
const at = (name: string): string => join(home, name);
const authority = makeAuthority(home, 'authority');
const ec = makePair(home, 'ec', {}, authority);
const rsa = makePair(home, 'rsa', { kind: 'rsa' }, authority);
const text = (path: string): string => readFileSync(path, 'utf8');
const write = (name: string, content: string | Buffer): string => {
  writeFileSync(at(name), content);
  return at(name);
};

async function read(tlsCertFile: string, tlsKeyFile: string, tlsClientCaFile = ''): Promise<Pair> {
  const files = { tlsCertFile, tlsKeyFile, tlsClientCaFile };
  const paths = [tlsCertFile, tlsKeyFile, tlsClientCaFile].filter((path) => path !== '');
  const contents = await readFiles(paths).catch((thrown: unknown) => {
    throw unreadable(thrown, files);
  });
  return pairOf(contents, files);
}

async function refusal(certificate: string, key: string, authorities?: string): Promise<string> {
  try {
    await read(certificate, key, authorities);
  } catch (thrown) {
    assert.ok(thrown instanceof ServerError && thrown.code === 'usage');
    assert.equal(thrown.failure.exitCode, 2);
    for (const path of [ec.key, rsa.key]) {
      for (const line of text(path).split('\n').slice(1, -2)) assert.ok(!thrown.message.includes(line), 'the key is in the text');
    }
    return thrown.message;
  }
  throw new Error('the files are accepted');
}

describe('a certificate and its key', () => {
  const forms: readonly [form: string, pair: TlsPair, key: string, make: readonly string[]][] = [
    ['PKCS#8 of RSA', rsa, rsa.key, []],
    ['PKCS#1 of RSA', rsa, at('rsa1.key'), ['rsa', '-traditional', '-in', rsa.key, '-out', at('rsa1.key')]],
    ['PKCS#8 of ECDSA', ec, ec.key, []],
    ['SEC1 of ECDSA', ec, at('sec1.key'), ['ec', '-in', ec.key, '-out', at('sec1.key')]],
  ];
  for (const [form, { certificate }, key, make] of forms)
    it(`is read from ${form}`, async () => {
      if (make.length > 0) openssl(...make);
      const { options, subject, names, validTo } = await read(certificate, key);
      assert.match(options.key, /^-----BEGIN PRIVATE KEY-----/);
      assert.match(subject, /^CN=(?:ec|rsa)$/);
      assert.equal(names, 'DNS:localhost, IP Address:127.0.0.1');
      assert.ok(Math.abs(validTo - Date.now() - 90 * 86_400_000) < 60_000);
    });

  it('is read where parameters, text and other blocks surround it, and from one file', async () => {
    openssl('ecparam', '-name', 'prime256v1', '-out', at('parameters'));
    const both = write('both.pem', `a comment\r\n${text(at('parameters'))}${text(ec.key)}\nBag Attributes\n${text(ec.certificate)}`);
    assert.equal((await read(both, both)).subject, 'CN=ec');
  });

  it('may bring its chain, whose first end counts', async () => {
    const short = makePair(home, 'short', { days: 3 });
    const chain = write('chain.pem', text(ec.certificate) + text(authority.certificate) + text(short.certificate));
    const { options, validTo, subject } = await read(chain, ec.key);
    assert.equal(options.cert.match(/BEGIN CERTIFICATE/g)?.length, 3);
    assert.equal(validTo, new X509Certificate(text(short.certificate)).validToDate.getTime());
    assert.equal(subject, 'CN=ec');
  });

  it('comes with the authorities of clients', async () => {
    const other = makeAuthority(home, 'other');
    const bundle = write('bundle.pem', text(authority.certificate) + text(other.certificate));
    assert.deepEqual((await read(ec.certificate, ec.key)).options.ca, []);
    assert.equal((await read(ec.certificate, ec.key, bundle)).options.ca.length, 2);
  });
});

describe('files that are wrong', () => {
  const damaged = (path: string): string => text(path).replaceAll(/^[A-Za-z0-9+/]{60,}$/gm, (line) => `AAAA${line.slice(4).toLowerCase()}`);

  it('are named: the certificate', async () => {
    const cases: [string, RegExp][] = [
      [at('none.crt'), /^TLS_CERT_FILE: expected a file, .*none\.crt does not exist$/],
      [home, /^TLS_CERT_FILE: expected a PEM file, with -----BEGIN CERTIFICATE-----, .* has no certificate/],
      [write('empty.crt', ''), /^TLS_CERT_FILE: expected a PEM file.*empty\.crt has no certificate/],
      [
        write('der.crt', new X509Certificate(text(ec.certificate)).raw),
        /der\.crt has no certificate\. `openssl x509 -inform der` converts/,
      ],
      [ec.key, /^TLS_CERT_FILE: expected a PEM file.*ec\.key has no certificate/],
      [write('damaged.crt', damaged(ec.certificate)), /^TLS_CERT_FILE: certificate 1 of .*damaged\.crt cannot be read: /],
      [write('second.crt', text(ec.certificate) + damaged(ec.certificate)), /certificate 2 of .*second\.crt cannot be read: /],
    ];
    for (const [certificate, expected] of cases) assert.match(await refusal(certificate, ec.key), expected);
  });

  it('are named: the key', async () => {
    openssl('pkcs8', '-topk8', '-in', ec.key, '-passout', 'pass:secret', '-out', at('pkcs8-password.key'));
    openssl('rsa', '-traditional', '-aes128', '-in', rsa.key, '-passout', 'pass:secret', '-out', at('pkcs1-password.key'));
    const cases: [string, RegExp][] = [
      [at('none.key'), /^TLS_KEY_FILE: expected a file, .*none\.key does not exist$/],
      [ec.certificate, /^TLS_KEY_FILE: expected a PEM file, with -----BEGIN PRIVATE KEY-----, .* has no private key$/],
      [at('pkcs8-password.key'), /^TLS_KEY_FILE: expected a key without a password, .* has one\. `openssl pkey/],
      [at('pkcs1-password.key'), /^TLS_KEY_FILE: expected a key without a password/],
      [write('damaged.key', damaged(ec.key)), /^TLS_KEY_FILE: the private key of .*damaged\.key cannot be read/],
    ];
    for (const [key, expected] of cases) assert.match(await refusal(ec.certificate, key), expected);
  });

  it('are named: a key that does not fit, one that fits another certificate of the chain', async () => {
    assert.match(
      await refusal(ec.certificate, rsa.key),
      /^TLS_KEY_FILE: expected the private key of the first certificate of .*ec\.crt; the key of .*rsa\.key belongs to another one$/,
    );
    const chain = write('wrong-order.pem', text(authority.certificate) + text(ec.certificate));
    assert.match(await refusal(chain, ec.key), /the key fits certificate 2: put that one first, its issuers after it$/);
  });

  it('are named: the authorities', async () => {
    assert.match(
      await refusal(ec.certificate, ec.key, at('none.crt')),
      /^TLS_CLIENT_CA_FILE: expected a file, .*none\.crt does not exist$/,
    );
    assert.match(await refusal(ec.certificate, ec.key, write('no.crt', 'no')), /^TLS_CLIENT_CA_FILE: expected a PEM file/);
  });

  it('are named: what OpenSSL refuses', async () => {
    openssl(
      'req',
      '-x509',
      '-newkey',
      'rsa:512',
      '-nodes',
      '-subj',
      '/CN=weak',
      '-days',
      '9',
      '-keyout',
      at('weak.key'),
      '-out',
      at('weak.crt'),
    );
    assert.match(
      await refusal(at('weak.crt'), at('weak.key')),
      /^TLS_CERT_FILE: OpenSSL refuses the certificate of .*weak\.crt: .*key too small/,
    );
  });
});
