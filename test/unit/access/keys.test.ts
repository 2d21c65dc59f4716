import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import { chmodSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { KeyRing, openKeys } from '../../../server/access/keys.ts';
import { namedKeys, parseKeys } from '../../../server/config/access-keys.ts';
import { folder } from '../../set-up/folder.ts';
import { type LogLine, LogLines } from '../../set-up/log-lines.ts';

const [A, B, C] = ['aaaaaaaaaaaaaaaa', 'bbbbbbbbbbbbbbbbbbbbbbb', 'Cc+/9Cc+/9Cc+/9Cc+/9Cg=='];
const ringOf = (text: string): KeyRing => new KeyRing(namedKeys(parseKeys(text)));

test('a ring finds the name of a key, and nothing for what is almost a key', () => {
  const ring = ringOf(`web:${A},batch:${B},${C}`);
  assert.deepEqual(
    [A, B, C].map((key) => ring.find(key)?.name),
    ['web', 'batch', 'primary'],
  );
  for (const wrong of ['', A.slice(1), `${A}a`, A.toUpperCase(), ` ${A}`, `web:${A}`, `${A}\u0000`, `${A},${B}`])
    assert.equal(ring.find(wrong), undefined, wrong);
});

/** Counts calls of a function of node:crypto, also of modules that have imported it. */
function counted(t: TestContext, name: 'timingSafeEqual' | 'hash'): { readonly calls: number } {
  const original = crypto[name] as (...given: unknown[]) => unknown;
  const mocked = t.mock.method(crypto, name, original as never);
  syncBuiltinESMExports();
  t.after(() => {
    mocked.mock.restore();
    syncBuiltinESMExports();
  });
  return {
    get calls() {
      return mocked.mock.callCount();
    },
  };
}

test('every key is compared whatever came: one hash, and as many comparisons as keys', (t) => {
  const ring = ringOf(`${A},${B},${C}`);
  const [hashes, comparisons] = [counted(t, 'hash'), counted(t, 'timingSafeEqual')];
  const given = [A, B, C, '', 'x', A.slice(0, 15), 'x'.repeat(10_000)];
  given.forEach((credential, index) => {
    ring.find(credential);
    assert.deepEqual([hashes.calls, comparisons.calls], [index + 1, (index + 1) * 3]);
  });
});

test('a ring with other keys tells which ones, and a name with another key is another one', () => {
  const ring = ringOf(`web:${A},batch:${B}`);
  assert.equal(ring.find(A)?.name, 'web');
  assert.deepEqual(ring.replace(namedKeys(parseKeys(`web:${C},batch:${B},new:${A}`))), { added: ['web', 'new'], removed: ['web'] });
  assert.deepEqual(ring.names, ['web', 'batch', 'new']);
  assert.deepEqual(
    [A, B, C].map((key) => ring.find(key)?.name),
    ['new', 'batch', 'web'],
  );
  // A counter never falls, also where its name has another key.
  assert.deepEqual(Object.fromEntries(ring.requests), { web: 2, batch: 1, new: 1 });
});

interface Opened {
  readonly ring: KeyRing;
  readonly lines: LogLine[];
  readonly line: LogLines['line'];
}

async function open(scoringKeysFile: string, scoringKeys = ''): Promise<Opened> {
  const logged = new LogLines();
  const ring = await openKeys({ scoringKeys: scoringKeys === '' ? [] : parseKeys(scoringKeys), scoringKeysFile }, logged.log);
  assert.ok(ring !== undefined);
  return { ring, lines: logged.lines, line: (accepts) => logged.line(accepts) };
}

/** A volume of a Kubernetes Secret: each file is a link through the link `..data`. */
function mount(dir: string, version: string, keys: Readonly<Record<string, string>>): void {
  mkdirSync(join(dir, version));
  for (const [name, key] of Object.entries(keys)) writeFileSync(join(dir, version, name), key);
  symlinkSync(version, join(dir, '..next'));
  renameSync(join(dir, '..next'), join(dir, '..data'));
}

test('the keys of both options count', async () => {
  const path = join(folder(), 'keys');
  writeFileSync(path, `# a comment\nbatch:${B}\n${C}\n`);
  const { ring } = await open(path, `web:${A}`);
  assert.deepEqual(ring.names, ['web', 'batch', 'primary']);
  assert.equal(await openKeys({ scoringKeys: [], scoringKeysFile: '' }, new LogLines().log), undefined);
});

test('a folder has a key in each file, and the links of a Secret are followed when they change', async () => {
  const dir = folder();
  mount(dir, '..1', { web: A, batch: `${B}\n` });
  for (const name of ['web', 'batch']) symlinkSync(`..data/${name}`, join(dir, name));
  const { ring, line, lines } = await open(dir);
  assert.deepEqual(ring.names, ['batch', 'web']);
  // As the kubelet does: links to new data first, then links that no longer lead anywhere.
  mount(dir, '..2', { web: A, other: C });
  symlinkSync('..data/other', join(dir, 'other'));
  rmSync(join(dir, 'batch'));
  const { added, removed, keys } = await line(({ msg }) => msg === 'the keys were read again');
  assert.deepEqual({ added, removed, keys }, { added: ['other'], removed: ['batch'], keys: ['other', 'web'] });
  assert.deepEqual([ring.find(A)?.name, ring.find(B), ring.find(C)?.name], ['web', undefined, 'other']);
  assert.ok(!JSON.stringify(lines).includes(A));
});

test('a changed file that cannot be used keeps the keys, and is one line without its content', async () => {
  const path = join(folder(), 'keys');
  writeFileSync(path, A);
  const { ring, lines, line } = await open(path, `web:${B}`);
  const errors = (): LogLine[] => lines.filter(({ level }) => level === 'error');
  let expected = 0;
  for (const [text, why] of [
    ['', /expected at least one key/],
    ['S3cretMark', /line 1: expected .* this one has 10/],
    [`web:S3cretMark-S3cretMark`, /web is there twice/],
    [B, /web and primary are the same key/],
  ] as const) {
    writeFileSync(path, text);
    expected++;
    const { msg } = await line((each) => each.level === 'error' && why.test(each.msg));
    assert.ok(msg.startsWith(`SCORING_KEYS_FILE cannot be used, so the keys stay as they are: `), msg);
    assert.equal(errors().length, expected);
    assert.deepEqual([ring.find(A)?.name, ring.find(B)?.name, ring.names.length], ['primary', 'web', 2]);
  }
  rmSync(path);
  await line(({ msg }) => msg.includes('does not exist'));
  writeFileSync(path, C);
  await line(({ msg }) => msg === 'the keys were read again');
  assert.equal(ring.find(C)?.name, 'primary');
  assert.doesNotMatch(JSON.stringify(lines), /S3cretMark|aaaaaaaa|bbbbbbbb/);
});

test('a file that cannot be used at the start is a usage error that names it, without its content', async (t) => {
  const dir = folder();
  const file = (name: string, text: string): string => {
    writeFileSync(join(dir, name), text);
    return join(dir, name);
  };
  const nested = join(dir, 'nested');
  mkdirSync(nested);
  writeFileSync(join(nested, 'web'), 'S3cretMark');
  mkdirSync(join(dir, 'none'));
  for (const [path, why] of [
    [join(dir, 'missing'), /^SCORING_KEYS_FILE: expected a file, .*missing does not exist$/],
    [file('empty', ''), /^SCORING_KEYS_FILE: .*\/empty: expected at least one key/],
    [file('comments', '# none\n\n'), /comments: expected at least one key/],
    [file('short', 'S3cretMark'), /short: line 1: expected .*openssl rand -base64 32/],
    [file('pem', '-----BEGIN S3cretMark-----\n'), /pem: line 1: expected/],
    [nested, /nested\/web: the file: expected/],
    [join(dir, 'none'), /none: expected at least one key/],
  ] as const)
    await assert.rejects(open(path), (error: Error & { code?: string }) => {
      assert.match(error.message, why);
      assert.doesNotMatch(error.message, /S3cretMark/);
      return error.code === 'usage';
    });
  if (process.geteuid?.() === 0) return t.diagnostic('root may read every file: the mode is not tested');
  chmodSync(file('closed', A), 0);
  await assert.rejects(open(join(dir, 'closed')), /closed cannot be read: permission denied .*chmod/);
});
