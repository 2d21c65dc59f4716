import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import test from 'node:test';
import fc from 'fast-check';
import { curlLine, exampleOf } from '../../../server/host/curl-line.ts';
import { exampleBody } from '../../../server/ipc/worker-messages.ts';

const everywhere = { host: '0.0.0.0', tlsCertFile: '' };

/** The arguments that a shell gives to curl. */
const argumentsOf = (line: string): string[] =>
  execFileSync('bash', ['-c', `curl() { printf '%s\\0' "$@"; }; ${line}`], { encoding: 'utf8' })
    .split('\0')
    .slice(0, -1);

test('a shell gives curl the body as it is', () => {
  for (const body of ['{"x":[1,2]}', `it's "fine" $HOME \`x\` !! \\n ü`, "'; echo hacked '", '@/etc/passwd', '-o']) {
    const [, given, url] = argumentsOf(curlLine(everywhere, 80, { text: body }));
    assert.deepEqual([given, url], [body, 'http://localhost:80/score']);
  }
});

test('a shell gives curl every body that a worker may name, and runs nothing of it', () => {
  const bodies = fc
    .array(fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom("'", '"', '\\', '$(', '`', '@', '-', '!', '\n', '\u001b', ';')), {
      maxLength: 8,
    })
    .map((parts) => parts.join(''))
    .filter((body) => body.isWellFormed() && exampleBody(body));
  fc.assert(
    fc.property(bodies, (body) => {
      const given = argumentsOf(curlLine(everywhere, 80, { text: body }));
      assert.deepEqual([given.length, given[1]], [3, body]);
    }),
    { numRuns: 50 },
  );
});

test('curl never reads a file in place of the body', () => {
  assert.deepEqual(argumentsOf(curlLine(everywhere, 80, { text: '@file' })).slice(0, 2), ['--data-raw', '@file']);
});

test('the address is one that the machine itself can reach', () => {
  for (const [host, address] of [
    ['0.0.0.0', 'http://localhost:5001'],
    ['::', 'http://localhost:5001'],
    ['127.0.0.1', 'http://127.0.0.1:5001'],
    ['::1', 'http://[::1]:5001'],
    ['scores.example', 'http://scores.example:5001'],
  ] as const)
    assert.deepEqual(argumentsOf(curlLine({ host, tlsCertFile: '' }, 5001, { text: '1' })), ['-d', '1', `${address}/score`]);
});

test('a port with TLS is asked by https, whoever signed its certificate', () => {
  const given = argumentsOf(curlLine({ host: '0.0.0.0', tlsCertFile: '/tls.crt' }, 5001, { text: '1' }));
  assert.deepEqual(given, ['-k', '-d', '1', 'https://localhost:5001/score']);
});

test('without an example, the line asks for the description of the API', () => {
  assert.equal(curlLine(everywhere, 5001, undefined), 'curl http://localhost:5001/swagger.json');
});

test('a shell puts the key into the command where one is needed, and the command has none', () => {
  for (const example of [{ text: '{"x":1}' }, undefined]) {
    const line = curlLine(everywhere, 80, example, true);
    const given = argumentsOf(`KEY='it is $HOME'; ${line}`);
    assert.deepEqual(given.slice(0, 2), ['-H', 'api-key: it is $HOME']);
    assert.deepEqual(argumentsOf(curlLine(everywhere, 80, example)), given.slice(2));
  }
});

test('the sample that a script declares is sent as JSON', () => {
  const output = { type: 'object' };
  const declared = (example: string): ReturnType<typeof exampleOf> =>
    exampleOf({ schemas: { input: { type: 'object', example: { data: example } }, output, versions: ['3'] } });
  const given = argumentsOf(curlLine(everywhere, 80, declared("it's")));
  assert.deepEqual(given, ['-H', 'Content-Type: application/json', '-d', `{"data":"it's"}`, 'http://localhost:80/score']);
  assert.deepEqual(exampleOf({ example: '1', schemas: undefined }), { text: '1' });
  // A terminal obeys such characters.
  assert.equal(declared('\u009b2J'), undefined);
  assert.equal(exampleOf({ schemas: { input: { type: 'object' }, output, versions: ['2'] } }), undefined);
  assert.equal(exampleOf({}), undefined);
});
