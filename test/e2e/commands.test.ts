import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import { batchFlags } from '../../server/batch/options.ts';
import { failures } from '../../server/errors.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const LONGEST_MS = 60_000;
const flagsOf = {
  batch: Object.keys(batchFlags),
  functions: ['trigger', 'output-dir'],
  'iot-edge': ['input', 'output', 'read-ahead', 'sdk', 'port'],
};

interface Ended {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

const run = (...args: string[]): Ended =>
  spawnSync(process.execPath, [`${ROOT}server/main.ts`, ...args], { encoding: 'utf8', timeout: LONGEST_MS });

for (const args of [['--help'], ['help'], ['help', 'serve'], ['help', '--help'], ['serve', '--help']])
  test(`${args.join(' ')} lists the commands and the exit codes`, () => {
    const { status, stdout } = run(...args);
    assert.equal(status, 0);
    assert.match(stdout, /^Usage: node server\/main\.ts \[command\] \[flags\]/);
    const [, listed = ''] = /^Commands:\n((?: {2}.+\n)+)/m.exec(stdout) ?? [];
    const names = Array.from(listed.matchAll(/^ {2}(\S+) +\S/gm), ([, name]) => name);
    for (const name of ['serve', 'batch', 'functions', 'iot-edge', 'help']) assert.ok(names.includes(name), name);
    const codes = new Set(Object.values(failures).flatMap(({ exitCode }) => (exitCode === undefined ? [] : [exitCode])));
    const [, section = ''] = /^Exit codes:\n([\s\S]*)$/m.exec(stdout) ?? [];
    for (const code of [0, ...codes]) assert.match(section, new RegExp(`^ {2}${code} {2}\\S`, 'm'));
    assert.ok(stdout.split('\n').every((line) => line.length <= 100));
  });

for (const args of [
  ['help', 'batch'],
  ['batch', '--help'],
  ['batch', '-h'],
  ['help', 'functions'],
  ['help', 'iot-edge'],
  ['iot-edge', '--help'],
] as const)
  test(`${args.join(' ')} shows the flags of the command`, () => {
    const { status, stdout } = run(...args);
    assert.equal(status, 0);
    const command = args.find((arg) => arg in flagsOf) as keyof typeof flagsOf;
    assert.ok(stdout.startsWith(`Usage: node server/main.ts ${command} `));
    for (const name of flagsOf[command]) assert.ok(stdout.includes(`--${name} `), name);
    assert.ok(stdout.split('\n').every((line) => line.length <= 120));
  });

for (const [word, meant] of [
  ['bacth', 'batch'],
  ['server', 'serve'],
  ['hlep', 'help'],
] as const)
  test(`the word ${word} is refused with 2, because ${meant} is meant`, () => {
    const { status, stderr } = run(word, '--input', '-');
    assert.equal(status, 2);
    assert.match(stderr, new RegExp(`command ${word}: there is no such command, did you mean ${meant}\\?`));
  });

test('a word that is like no command is refused with 2', () => {
  assert.match(run('help', 'qwertyuiop').stderr, /command qwertyuiop: there is no such command \(see --help\)/);
  const { status, stderr } = run('qwertyuiop');
  assert.equal(status, 2);
  assert.match(stderr, /argument "qwertyuiop": expected only flags/);
});

test('npm start -- help runs a command', () => {
  const { status, stdout } = spawnSync('npm', ['start', '--silent', '--', 'help', 'batch'], {
    cwd: ROOT,
    encoding: 'utf8',
    timeout: LONGEST_MS,
  });
  assert.equal(status, 0);
  assert.match(stdout, /^Usage: node server\/main\.ts batch /);
});
