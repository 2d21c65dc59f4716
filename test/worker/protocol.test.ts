import assert from 'node:assert/strict';
import test from 'node:test';
import { until } from '../set-up/until.ts';
import { withWorkers } from './start-workers.ts';

/** What a script may write to fd 3, and what the log says of it. */
const wrong: [how: string, why: RegExp][] = [
  ['a length of 4 GiB', /a frame of 4294967295 bytes: expected 5 to/],
  ['a length of nothing', /a frame of 0 bytes/],
  ['a text', /a frame of 1819043176 bytes/],
  ['a child', /a frame of 1684234849 bytes/],
  ['an unknown kind', /a frame of kind 99/],
  ['a kind of the host', /a frame of kind 2/],
  ['no JSON', /'log' that is not JSON/],
  ['a log line of another form', /'log' of another form/],
  ['an unknown code', /'failure' of another form/],
  ['metrics with null', /'metrics' of another form/],
  ['a metric of another form', /'metrics' of another form/],
  ['a counter that falls', /decrease a counter/],
  ['ready without models', /'ready' of another form/],
  ['ready again', /a second report of how its start ended/],
  ['a start that failed', /a second report of how its start ended/],
  ['a model of another form', /'loaded' of another form/],
  ['a short reply', /a reply that is too short/],
  ['a reply of status 99', /a reply of status 0/],
  ['rows without a head', /'collect' that is too short/],
  ['counts of another form', /'notCollected' of another form/],
];

for (const [how, why] of wrong) {
  test(`${how} on fd 3 costs the worker, and one line says why`, () =>
    withWorkers('breaks-pipe.ts', async (workers) => {
      await assert.rejects(workers.score(how), { code: 'worker_lost' });
      const broke = workers.lines.filter(({ msg }) => String(msg).includes('broke the protocol of its pipe'));
      assert.equal(broke.length, 1);
      assert.match(String(broke[0]?.['msg']), why);
      assert.equal(workers.lines.filter(({ level }) => level === 'error').length, 1);
      assert.equal((await workers.score('fine')).json, 'fine');
    }));
}

test('a line of the log may have fields of any depth', () =>
  withWorkers('breaks-pipe.ts', async (workers) => {
    await workers.score('deep fields');
    await workers.lineWith('deep');
    assert.equal(workers.pids.length, 1);
  }));

test('what replaced built-ins would say is not what the server says', () =>
  withWorkers('replaces-built-ins.ts', async (workers) => {
    await assert.rejects(workers.score('throw'), { code: 'run_failed', message: /thrown by the script\n.*replaces-built-ins/ });
    await workers.score('log');
    const line = await workers.lineWith('a line');
    assert.deepEqual([line['at'], line['list'], line['requestId']], ['1970-01-01T00:00:00.000Z', [1], 'request-1']);
    await workers.score('odd log');
    assert.equal((await workers.lineWith('Symbol(a symbol)'))['fields'], 'no object');
    await workers.score('metric');
    await until(async () => (await workers.metrics.registry.metrics()).includes('overflows{worker="0"} 1.7976931348623157e+308'));
    assert.equal(workers.pids.length, 1);
  }));
