import assert from 'node:assert/strict';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import test from 'node:test';
import { azureFunctions } from '../../../../server/config/platforms/azure-functions.ts';
import { readConfig } from '../../../../server/config/read-config.ts';
import { bindingsOf } from '../../../../server/config/platforms/function-bindings.ts';
import type { PlatformRoute } from '../../../../server/config/platforms/platform.ts';
import { folder } from '../../../set-up/folder.ts';
import { NOWHERE } from '../../../set-up/surroundings.ts';

type Env = Readonly<Record<string, string>>;

function app(files: Readonly<Record<string, unknown>>): string {
  const root = folder();
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(root, name)), { recursive: true });
    writeFileSync(join(root, name), typeof content === 'string' ? content : JSON.stringify(content));
  }
  return root;
}

/** The routes, and the warnings that were given on the way. */
function routesOf(cwd: string, env: Env = {}): { routes: readonly PlatformRoute[]; warnings: string[] } {
  const warnings: string[] = [];
  const around = { ...NOWHERE, env, cwd, warn: (text: string) => warnings.push(text) };
  return { routes: azureFunctions.routes(around), warnings };
}

const paths = (routes: readonly PlatformRoute[]): string[] => routes.map(({ path, kind }) => `${kind} ${path}`);
const http = (route?: string): object => ({
  bindings: [
    { type: 'httpTrigger', direction: 'in', name: 'req', ...(route !== undefined && { route }) },
    { type: 'http', direction: 'out', name: 'res' },
  ],
});
const blob = {
  bindings: [
    { type: 'blobTrigger', direction: 'in', name: 'input', dataType: 'Binary' },
    { type: 'blob', direction: 'out', name: 'output' },
  ],
};
const forwards = { customHandler: { enableForwardingHttpRequest: true } };

void test('a folder that cannot be looked into is no function app', () => {
  const root = folder();
  symlinkSync('loop', join(root, 'loop'));
  writeFileSync(join(root, 'file'), '');
  for (const name of ['loop', 'file', 'x'.repeat(300)])
    assert.deepEqual(paths(routesOf(root, { FUNCTIONS_APP_ROOT_PATH: join(root, name) }).routes), ['azure-function *']);
});

void test('the first folder with a host.json is the function app', () => {
  const [first, second] = [app({ 'host.json': {}, 'one/function.json': blob }), app({ 'host.json': {}, 'two/function.json': blob })];
  const other = app({ 'three/function.json': blob });
  assert.deepEqual(paths(routesOf(second).routes), ['azure-function /two']);
  assert.deepEqual(paths(routesOf(second, { AzureWebJobsScriptRoot: first }).routes), ['azure-function /one']);
  assert.deepEqual(paths(routesOf(other, { FUNCTIONS_APP_ROOT_PATH: second, AzureWebJobsScriptRoot: first }).routes), [
    'azure-function /two',
  ]);
  assert.deepEqual(paths(routesOf(other).routes), ['azure-function *'], 'no app: every path is a function');
});

void test('a forwarded function is at its route behind the prefix, and any other path is scored, too', () => {
  const files = {
    'a/function.json': http(),
    'b/function.json': http('/v1/x/'),
    'c/function.json': http('{id}/y'),
    'd/function.json': blob,
  };
  const prefixed = { ...forwards, extensions: { http: { routePrefix: '' } } };
  assert.deepEqual(paths(routesOf(app({ 'host.json': forwards, ...files })).routes), [
    'score /api/a',
    'score /api/v1/x',
    'azure-function /d',
    'score *',
  ]);
  assert.deepEqual(paths(routesOf(app({ 'host.json': prefixed, ...files })).routes), [
    'score /a',
    'score /v1/x',
    'azure-function /d',
    'score *',
  ]);
  assert.deepEqual(
    paths(routesOf(app({ 'host.json': { customHandler: { enableProxyingHttpRequest: true } }, 'a/function.json': http() })).routes),
    ['score /api/a', 'score *'],
  );
  assert.deepEqual(paths(routesOf(app({ 'host.json': {}, 'a/function.json': http('x') })).routes), ['azure-function /a']);
});

void test('HTTP with another output is not forwarded', () => {
  const mixed = { bindings: [...(http() as { bindings: object[] }).bindings, { type: 'blob', direction: 'out', name: 'copy' }] };
  assert.deepEqual(paths(routesOf(app({ 'host.json': forwards, 'a/function.json': mixed })).routes), ['azure-function /a']);
});

void test('a worker is told the bindings', () => {
  const [route] = routesOf(app({ 'host.json': {}, 'a/function.json': blob })).routes;
  assert.deepEqual(route?.told, [
    'x-scoring-function-bindings',
    JSON.stringify({ input: 'input', http: false, binary: true, outputs: [{ name: 'output', kind: 'plain' }] }),
  ]);
});

void test('broken files are warnings that name them', () => {
  const root = app({
    'host.json': '{',
    'a/function.json': '\uFEFF' + JSON.stringify(blob),
    'b/function.json': '[]',
    'c/function.json': { bindings: [{ type: 'x', name: 'y' }] },
    'd/function.json': { bindings: [{ type: 'aTrigger', name: 'x\ny' }] },
    'e/function.json': ' '.repeat(1024 * 1024 + 1),
    '9/function.json': blob,
  });
  const { routes, warnings } = routesOf(root);
  assert.deepEqual(paths(routes), ['azure-function /a']);
  const said = warnings.map((text) => text.replace(`${root}/`, '').replace(/\. Write it again.*/, ''));
  assert.match(said[0] ?? '', /^host\.json cannot be used: /);
  assert.deepEqual(said.slice(1), [
    'b/function.json cannot be used: bindings: expected a list of at most 100 objects, got undefined',
    'c/function.json cannot be used: bindings: expected one whose type ends in Trigger, got 0',
    'd/function.json cannot be used: bindings[0]: expected a type, and a name of letters, digits and _',
    'e/function.json cannot be used: expected at most 1048576 bytes, got 1048577',
  ]);
});

void test('bindings have the kinds that the host knows, in any case of letters', () => {
  assert.deepEqual(
    bindingsOf({
      bindings: [
        { type: 'HttpTrigger', name: 'req' },
        { type: 'HTTP', direction: 'Out', name: '$return' },
        { type: 'blob', direction: 'out', name: 'o', dataType: 'binary' },
        { type: 'blob', direction: 'in', name: 'other' },
      ],
    }),
    {
      input: 'req',
      http: true,
      binary: false,
      outputs: [
        { name: '$return', kind: 'http' },
        { name: 'o', kind: 'binary' },
      ],
    },
  );
});

void test('the port of the host wins over PORT, a flag over both, and only this machine may call', () => {
  const read = (env: Env, ...argv: string[]): [number, string, string] => {
    const command = readConfig({ argv: ['serve', ...argv], env, cwd: folder() });
    assert.ok(command.kind === 'serve');
    return [command.config.port, command.config.host, command.profile.platform.name];
  };
  const host = { FUNCTIONS_CUSTOMHANDLER_PORT: '7071', PORT: '80' };
  assert.deepEqual(read(host), [7071, '127.0.0.1', 'azure-functions']);
  assert.deepEqual(read({ FUNCTIONS_HTTPWORKER_PORT: '7072' }), [7072, '127.0.0.1', 'azure-functions']);
  assert.deepEqual(read({ ...host, SCORING_HOST: '::' }, '--port', '9'), [9, '::', 'azure-functions']);
  assert.throws(() => read({ FUNCTIONS_CUSTOMHANDLER_PORT: 'x' }), /profile azure-functions: FUNCTIONS_CUSTOMHANDLER_PORT/);
});
