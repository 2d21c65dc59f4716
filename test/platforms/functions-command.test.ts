import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import { folder } from '../set-up/folder.ts';

const MAIN = fileURLToPath(new URL('../../server/main.ts', import.meta.url));

function command(cwd: string, ...args: string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, [MAIN, 'functions', ...args], { cwd, encoding: 'utf8' });
}

function written(cwd: string, ...args: string[]): Record<string, unknown> {
  const { status, stderr } = command(cwd, ...args);
  assert.deepEqual([status, stderr], [0, '']);
  const files = readdirSync(cwd, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.json'));
  return Object.fromEntries(files.toSorted().map((name) => [name, JSON.parse(readFileSync(join(cwd, name), 'utf8'))]));
}

const HOST = {
  version: '2.0',
  customHandler: {
    description: {
      defaultExecutablePath: '/usr/local/bin/node',
      arguments: [
        '--disable-sigusr1',
        '--max-semi-space-size=32',
        '--require',
        '/opt/scoring-server/docker/compile-cache.cjs',
        '/opt/scoring-server/server/main.ts',
        'serve',
      ],
      workingDirectory: '',
    },
    enableForwardingHttpRequest: true,
  },
  extensions: { http: { routePrefix: '' } },
  extensionBundle: { id: 'Microsoft.Azure.Functions.ExtensionBundle', version: '[4.*, 5.0.0)' },
};
const connection = 'TriggerConnectionString';

void test('the files of each trigger are those that the Functions host reads', () => {
  assert.deepEqual(written(folder(), '--trigger', 'http', '--auth_level', 'anonymous'), {
    'host.json': HOST,
    'score/function.json': {
      bindings: [
        { type: 'httpTrigger', direction: 'in', name: 'req', authLevel: 'anonymous', methods: ['get', 'post'], route: 'score' },
        { type: 'http', direction: 'out', name: 'res' },
      ],
    },
  });
  const paths = ['--input-path', 'input/{blobname}.json', '--output-path', 'output/{blobname}_out.json'];
  assert.deepEqual(written(folder(), '--trigger', 'blob', ...paths, '--binary', '--name', 'images'), {
    'host.json': HOST,
    'images/function.json': {
      bindings: [
        { type: 'blobTrigger', direction: 'in', name: 'input', path: 'input/{blobname}.json', connection, dataType: 'binary' },
        { type: 'blob', direction: 'out', name: 'output', path: 'output/{blobname}_out.json', connection },
      ],
    },
  });
  assert.deepEqual(written(folder(), '--trigger=service_bus_queue', '--input-queue', 'in', '--output-queue', 'out'), {
    'host.json': HOST,
    'score/function.json': {
      bindings: [
        { type: 'serviceBusTrigger', direction: 'in', name: 'input', queueName: 'in', connection },
        { type: 'serviceBus', direction: 'out', name: 'output', queueName: 'out', connection },
      ],
    },
  });
});

void test('wrong and missing flags exit with 2, say what was expected, and write nothing', () => {
  const paths = ['--input-path', 'a/b', '--output-path', 'c/d'];
  for (const [args, expected] of [
    [[], '--trigger: expected http, blob, service-bus-queue, got nothing'],
    [['--trigger', 'blobs'], 'got "blobs", did you mean blob?'],
    [['--triger', 'http'], '--triger: there is no such flag, did you mean --trigger? (see --help)'],
    [['http'], 'argument "http": expected only flags (see --help)'],
    [['--trigger'], '--trigger: expected a value after it'],
    [['--trigger', 'http', '--output-dir', '--force'], '--output-dir: expected a value after it'],
    [['--trigger', 'http', '-x'], '-x: there is no such flag (see --help)'],
    [['--trigger', 'http', '--trigger', 'blob'], '--trigger: expected once, got twice'],
    [['--trigger', 'blob'], '--input-path: expected PATH, because the trigger is blob\n  --output-path: expected PATH'],
    [['--trigger', 'http', '--input-queue', 'a'], '--input-queue: the trigger http has no such flag. It has --auth-level'],
    [['--trigger', 'blob', ...paths, '--auth-level', 'admin'], '--auth-level: the trigger blob has no such flag'],
    [['--trigger', 'http', '--auth-level', 'fuction'], 'expected anonymous, function, admin, got "fuction", did you mean function?'],
    [['--trigger', 'http', '--name', '../x'], '--name: expected a letter, then'],
    [['--trigger', 'blob', '--input-path', 'no-name', '--output-path', 'a/b'], '--input-path: expected <container>/<name of the blob>'],
    [['--trigger', 'blob', '--input-path', 'same/a', '--output-path', 'same/a'], 'expected two places, got same/a'],
    [['--trigger', 'service-bus-queue', '--input-queue', 'a b', '--output-queue', 'c'], '--input-queue: expected the name of a queue'],
    [['--trigger', 'http', '--force=yes'], '--force: expected no value after it'],
    [['--trigger', 'http', '--output-dir', '/proc/nowhere'], 'expected a folder where files can be written'],
  ] as const) {
    const cwd = folder();
    const { status, stdout, stderr } = command(cwd, ...args);
    assert.deepEqual([status, stdout, readdirSync(cwd)], [2, '', []], args.join(' '));
    assert.ok(stderr.includes(expected), `${args.join(' ')}: ${stderr}`);
  }
});

void test('files that are there are kept without --force, and a second function joins the app', () => {
  const cwd = folder();
  written(cwd, '--trigger', 'http');
  writeFileSync(join(cwd, 'score/function.json'), '{"mine": true}');
  const refused = command(cwd, '--trigger', 'http', '--auth-level', 'admin');
  assert.equal(refused.status, 2);
  assert.match(refused.stderr, /score\/function\.json: expected no other file of that name\. --force replaces it/);
  assert.equal(readFileSync(join(cwd, 'score/function.json'), 'utf8'), '{"mine": true}');
  const paths = ['--input-path', 'input/{name}', '--output-path', 'output/{name}'];
  assert.equal(command(cwd, '--trigger', 'blob', ...paths, '--name', 'second').status, 0, 'beside a function with another trigger');
  assert.equal(command(cwd, '--trigger', 'http', '--force').status, 0);
  assert.match(readFileSync(join(cwd, 'score/function.json'), 'utf8'), /httpTrigger/);
  assert.deepEqual(readdirSync(cwd).toSorted(), ['host.json', 'score', 'second']);
});

void test('nothing is half written where one of the files cannot be', () => {
  const cwd = folder();
  writeFileSync(join(cwd, 'score'), 'a file in place of the folder');
  const { status, stderr } = command(cwd, '--trigger', 'http');
  assert.equal(status, 2, stderr);
  assert.deepEqual(readdirSync(cwd), ['score']);
  assert.equal(existsSync(join(cwd, 'host.json.part')), false);
});

void test('a folder in place of a file is named, with and without --force', () => {
  const cwd = folder();
  mkdirSync(join(cwd, 'host.json'));
  const kept = command(cwd, '--trigger', 'http');
  assert.deepEqual([kept.status, /host\.json: expected no other file of that name/.test(kept.stderr)], [2, true], kept.stderr);
  const forced = command(cwd, '--trigger', 'http', '--force');
  assert.deepEqual([forced.status, /expected a folder where files can be written/.test(forced.stderr)], [2, true], forced.stderr);
  assert.deepEqual(
    readdirSync(cwd, { recursive: true }).filter((name) => name.toString().includes('.part')),
    [],
  );
});

void test('--help and -h show every flag', () => {
  const { status, stdout } = command(folder(), '--help');
  assert.equal(status, 0);
  assert.equal(command(folder(), '-h').stdout, stdout);
  for (const flag of [
    'trigger',
    'auth-level',
    'input-path',
    'output-path',
    'input-queue',
    'output-queue',
    'binary',
    'name',
    'output-dir',
    'force',
  ])
    assert.ok(stdout.includes(`--${flag}`), flag);
});
