import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { withoutPreloads } from '../../../server/system/own-thread.ts';
import { assertLinear } from '../linear-time.ts';
import { folder } from '../../set-up/folder.ts';

const MODULE = new URL('../../../server/system/own-thread.ts', import.meta.url).href;

const home = folder();
mkdirSync(join(home, 'with space'));
/** 30 MB, as an agent of a monitoring service, and a sign of where it ran. */
const agent = join(home, 'with space', 'agent.cjs');
writeFileSync(agent, `globalThis.agent = Array.from({ length: 30 }, () => Array.from({ length: 131_072 }, (_, index) => index + 0.5));\n`);
/** A thread of 8 MB, as the one that watches the host. */
const starter = join(home, 'starter.mjs');
writeFileSync(
  starter,
  `import { startOwnThread } from ${JSON.stringify(MODULE)};
const source = \`require('node:worker_threads').parentPort.postMessage({
  agent: 'agent' in globalThis, NODE_OPTIONS: process.env.NODE_OPTIONS, kept: process.env.KEPT, order: require('node:dns').getDefaultResultOrder() })\`;
const limits = { maxOldGenerationSizeMb: 8, maxYoungGenerationSizeMb: 1, stackSizeMb: 1 };
const given = process.env.GIVE === undefined ? {} : { env: process.env };
startOwnThread(source, { ...given, resourceLimits: limits })
  .on('message', (seen) => console.log(JSON.stringify({ ...seen, here: 'agent' in globalThis })))
  .on('error', (error) => console.log(JSON.stringify({ error: error.code })));
`,
);

function start(args: readonly string[], env: Record<string, string>): unknown {
  const printed = execFileSync(process.execPath, [...args, starter], { encoding: 'utf8', env, timeout: 30_000 });
  return JSON.parse(printed);
}

const required = `--require="${agent}"`;
for (const [how, args, NODE_OPTIONS] of [
  ['--require of NODE_OPTIONS', [], required],
  ['-r of NODE_OPTIONS', [], `-r "${agent}"`],
  ['--import of NODE_OPTIONS', [], `--import="${agent}"`],
  ['--require of the command', ['--require', agent], ''],
] as const) {
  test(`a thread of the server has no preload: ${how}`, () => {
    assert.deepEqual(start(args, { NODE_OPTIONS }), { agent: false, order: 'verbatim', here: true });
  });
}

test('a thread that gets an environment has its variables and the other options of NODE_OPTIONS', () => {
  assert.deepEqual(start([], { GIVE: 'yes', KEPT: 'yes', NODE_OPTIONS: `--dns-result-order=ipv4first ${required}` }), {
    agent: false,
    NODE_OPTIONS: '--dns-result-order=ipv4first',
    kept: 'yes',
    order: 'ipv4first',
    here: true,
  });
});

test('preloads go out of NODE_OPTIONS in every form, and nothing else does', () => {
  for (const [given, kept] of [
    ['--require dd-trace/init', undefined],
    ['-r ./a.cjs --import=b.mjs', undefined],
    ['--use-openssl-ca --require "/a b/c.cjs" --max-old-space-size=100', '--use-openssl-ca --max-old-space-size=100'],
    ['--import "/a \\" b.mjs" --tls-min-v1.3', '--tls-min-v1.3'],
    ['--import="/a b.mjs" --title="a b"', '--title="a b"'],
    ['--experimental-loader x --loader=y --experimental_loader z', undefined],
    ['--require --no-warnings', '--no-warnings'],
    ['--redirect-warnings=r', '--redirect-warnings=r'],
  ] as const)
    assert.equal(withoutPreloads({ NODE_OPTIONS: given })['NODE_OPTIONS'], kept, given);
  for (const part of ['"', '"\\', ' ', '-r '])
    assertLinear(`NODE_OPTIONS of ${part}`, 10_000, (size) => ({ NODE_OPTIONS: part.repeat(size) }), withoutPreloads);
  assert.deepEqual(withoutPreloads({ A: '1' }), { A: '1' });
});
