import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { withServer } from '../e2e/start-server.ts';
import { appOf, FunctionsHost, textData } from './functions-host.ts';

/** A script that takes a list of houses, and says which data has reached it. */
const SCRIPT = `
export const schema = {
  input: {
    type: 'array',
    items: { type: 'object', required: ['rooms'], properties: { rooms: { type: 'integer' } } },
  },
};
export function init() {}
export function run(houses) {
  console.log('reached ' + JSON.stringify(houses));
  return houses.map(({ rooms }) => rooms * 2);
}
`;
const FITS = [{ rooms: 3 }, { rooms: 4 }];
const MISFITS = [{ rooms: 3 }, { rooms: 'four' }];
const REASON = 'The input does not fit the schema: at /1/rooms: expected integer, got "four"';

type Houses = readonly object[];

/** A body of a platform, with its answer to houses that fit, and to others. */
interface Body {
  readonly path: string;
  readonly contentType: string;
  readonly wrap: (houses: Houses) => string;
  readonly answer: string;
  readonly failure: string;
}

const JSON_TYPE = 'application/json';
const v1 = (member: string): Body => ({
  path: '/v1/models/m:predict',
  contentType: JSON_TYPE,
  wrap: (houses) => JSON.stringify({ [member]: houses }),
  answer: '{"predictions":[6,8]}',
  failure: `{"error": ${JSON.stringify(REASON)}}`,
});
const invocation = { path: '/invocations', failure: `{"message": ${JSON.stringify(REASON)}}` };

const bodies: Readonly<Record<string, Readonly<Record<string, Body>>>> = {
  kserve: { instances: v1('instances'), inputs: v1('inputs') },
  sagemaker: {
    JSON: { ...invocation, contentType: JSON_TYPE, wrap: (houses) => JSON.stringify(houses), answer: '[6,8]' },
    'JSON lines': {
      ...invocation,
      contentType: 'application/jsonlines',
      wrap: (houses) => houses.map((house) => `${JSON.stringify(house)}\n`).join(''),
      answer: '6\n8\n',
    },
  },
};

describe('data that does not fit the schema of a script is a 400 that says where', () => {
  for (const [profile, forms] of Object.entries(bodies))
    it(`on ${profile}, as ${Object.keys(forms).join(' and ')}`, () =>
      withServer(
        ['--entry-script', 'score.mjs', '--profile', profile, '--model-name', 'm'],
        async (server) => {
          await server.ready();
          for (const { path, contentType, wrap, answer, failure } of Object.values(forms))
            for (const [houses, expected] of [
              [FITS, [200, answer]],
              [MISFITS, [400, failure]],
            ] as const) {
              const headers = { 'content-type': contentType };
              const response = await fetch(await server.url(path), { method: 'POST', headers, body: wrap(houses) });
              assert.deepEqual([response.status, await response.text()], expected);
            }
          assert.equal(server.linesWith('reached ').length, Object.keys(forms).length, 'a misfit has reached run()');
        },
        { cwd: appOf({ 'score.mjs': SCRIPT }) },
      ));
});

const bindings = (...all: readonly object[]): string => JSON.stringify({ bindings: all });
const http = bindings({ type: 'httpTrigger', direction: 'in', name: 'req' }, { type: 'http', direction: 'out', name: 'res' });
const queue = bindings(
  { type: 'serviceBusTrigger', direction: 'in', name: 'input', queueName: 'in', connection: 'c' },
  { type: 'serviceBus', direction: 'out', name: 'output', queueName: 'out', connection: 'c' },
);
const host = (forwards: boolean): string => JSON.stringify({ version: '2.0', customHandler: { enableForwardingHttpRequest: forwards } });

describe('data of a function that does not fit the schema of its script', () => {
  it('is a failed invocation of a queue', () =>
    FunctionsHost.run(appOf({ 'host.json': host(false), 'score/function.json': queue, 'score.mjs': SCRIPT }), async (functions) => {
      const { outputs } = await functions.invoke('score', { input: textData(JSON.stringify(FITS)) });
      assert.deepEqual(outputs, { output: [6, 8] });
      const { status, text } = await functions.post('score', { input: textData(JSON.stringify(MISFITS)) });
      assert.deepEqual([status, JSON.parse(text)], [400, { message: REASON }]);
    }));

  it('is a 400 for the client of an HTTP trigger', () =>
    FunctionsHost.run(appOf({ 'host.json': host(false), 'score/function.json': http, 'score.mjs': SCRIPT }), async (functions) => {
      const req = (houses: readonly object[]): object => ({
        Url: 'http://localhost/api/score',
        Method: 'POST',
        Headers: { 'Content-Type': ['application/json'] },
        Body: JSON.stringify(houses),
      });
      const answer = async (houses: readonly object[]): Promise<unknown> => {
        const { outputs } = await functions.invoke('score', { req: req(houses) });
        const { statusCode, body } = outputs['res'] as { statusCode: unknown; body: unknown };
        return [Number(statusCode), typeof body === 'string' ? JSON.parse(body) : body];
      };
      assert.deepEqual(await answer(FITS), [200, [6, 8]]);
      assert.deepEqual(await answer(MISFITS), [400, { message: REASON }]);
    }));
});
