import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { writeModel } from '../models/models.ts';
import { folder } from '../set-up/folder.ts';
import { held } from '../set-up/held.ts';
import { until } from '../set-up/until.ts';
import { scriptFolder } from '../worker/script-folder.ts';
import { type ServerProcess, type StartOptions, withServer } from './start-server.ts';

interface Checked {
  readonly status: number;
  readonly ready: unknown;
  readonly reason?: string;
  readonly deep?: { readonly ms: number };
}

async function check(server: ServerProcess): Promise<Checked> {
  const answer = await fetch(await server.url('/readyz?deep=true'));
  return { status: answer.status, ...((await answer.json()) as { ready: unknown }) };
}

/** Checks until one has this reason: all that ask within a second get the same verdict. */
async function reason(server: ServerProcess, expected: RegExp): Promise<Checked> {
  let last: Checked | undefined;
  await until(async () => expected.test((last = await check(server)).reason ?? 'none'));
  assert.ok(last !== undefined);
  return last;
}

/** Runs the server with a script of this text, and `DEEP_CHECK`. */
function withScript(text: string, test: (server: ServerProcess) => Promise<void>, options: StartOptions = {}): Promise<void> {
  const path = join(scriptFolder({ 'score.ts': text }), 'score.ts');
  return withServer(['--entry-script', path], async (server) => test(await server.ready()), {
    ...options,
    env: { DEEP_CHECK: 'true', ...options.env },
  });
}

/** Samples that no host could send, and scripts that accept nothing else. */
const SAMPLES: Record<string, string> = {
  'of bytes': `export const inputType = 'bytes';
    export const sample = Buffer.from([0, 255, 10, 128]);
    export function run(data) { if (!Buffer.isBuffer(data) || data.length !== 4) throw new Error('no bytes'); return data.length; }`,
  'that is long': `export const sample = Array.from({ length: 100_000 }, (_, at) => at);
    export function run(data) { return data.reduce((sum, value) => sum + value, 0); }`,
  'that JSON cannot write': `export const sample = { big: 12345678901234567890n, at: new Map([[1, undefined]]) };
    export function run({ big, at }) { if (at.size !== 1) throw new Error('no map'); return { big }; }`,
  'that is a web-standard Request': `export const rawHttp = true;
    export const sample = new Request('http://localhost/score', { method: 'POST', body: '{"x":1}' });
    export async function run(request) { return Response.json(await request.json()); }`,
  'that is false': `export const sample = false;
    export function run(data) { if (data !== false) throw new Error(String(data)); }`,
  'that init() makes': `export let sample;
    export function init() { sample = { made: true }; }
    export function run({ made }) { return made; }`,
  'whose answer is a stream': `export const sample = 3;
    export async function* run(count) { for (let at = 0; at < count; at++) yield { at }; }`,
  'whose answer is a stream without end': `export const sample = 3;
    export async function* run() { for (;;) { yield 'x'.repeat(1000); await new Promise((resolve) => setTimeout(resolve, 5)); } }`,
};

describe('the deep check', () => {
  for (const [name, text] of Object.entries(SAMPLES))
    it(`scores a sample ${name}, again and again`, () =>
      withScript(text.includes('init') ? text : `${text}\nexport function init() {}`, async (server) => {
        const { deep, ...verdict } = await check(server);
        assert.deepEqual(verdict, { status: 200, ready: true });
        assert.ok((deep?.ms ?? -1) >= 0);
        // Another run takes another time.
        await until(async () => {
          const again = await check(server);
          assert.equal(again.status, 200);
          return again.deep?.ms !== deep?.ms;
        });
        await server.inFlight(0);
        assert.deepEqual(server.linesWith('deep check'), []);
      }));

  it('scores the inputs of the warm-up of a model without code', () =>
    withServer(
      ['--model', writeModel('multi', folder())],
      async (server) => {
        await server.ready();
        assert.equal((await check(server)).status, 200);
        await until(async () => (await server.metric('inference_duration_seconds_count{model="multi"}')) > 0);
      },
      { env: { DEEP_CHECK: 'true' } },
    ));

  it('finds a script that fails later, and tells apart how; then it succeeds again', () => {
    const mode = join(folder(), 'mode');
    const text = `import { existsSync, readFileSync } from 'node:fs';
      import { ScoringError } from 'scoring-server';
      export const sample = { ask: true };
      export function init() {}
      export function run(data) {
        const mode = existsSync('${mode}') ? readFileSync('${mode}', 'utf8') : 'good';
        if (mode === 'throws') throw new Error('a secret of the script');
        if (mode === 'refuses') throw new ScoringError(422, 'a secret of the script');
        if (mode === 'odd') return () => 'a secret of the script';
        if (mode === 'dies') process.kill(process.pid, 'SIGKILL');
        return { data };
      }`;
    return withScript(text, async (server) => {
      const steps = { throws: 'run_failed', refuses: 'status 422', odd: 'result_not_json', dies: 'worker_lost' };
      assert.equal((await check(server)).status, 200);
      for (const [how, code] of Object.entries(steps)) {
        writeFileSync(mode, how);
        const found = await reason(server, new RegExp(`^the deep check failed: ${code}$`));
        assert.equal(found.status, 503);
        assert.ok(!JSON.stringify(found).includes('secret'));
        assert.equal(await server.status('/livez'), 200);
      }
      writeFileSync(mode, 'good');
      await until(async () => (await check(server)).status === 200);
      assert.match((await server.line(({ code }) => code === 'run_failed')).msg, /^the deep check fails.*a secret of the script/s);
      await server.said('the deep check succeeds again');
      assert.equal(readFileSync(mode, 'utf8'), 'good');
    });
  });

  it('finds a run that hangs, holds one slot for it, and leaves the rest to clients', () => {
    const hangs = join(folder(), 'hangs');
    const text = `import { existsSync } from 'node:fs';
      export const sample = 'sample';
      export function init() {}
      export function run(data) { return data === 'sample' && existsSync('${hangs}') ? new Promise(() => {}) : data; }`;
    return withScript(
      text,
      async (server) => {
        writeFileSync(hangs, '');
        await reason(server, /^the deep check failed: deadline_exceeded$/);
        await Promise.all([check(server), check(server)]);
        assert.equal(await server.metric('scoring_requests_in_flight'), 1);
        for (let count = 0; count < 5; count++) assert.equal(await (await server.score(count)).json(), count);
      },
      { env: { SCORING_TIMEOUT_MS: '2500', CANCEL_GRACE_MS: '60000', WORKER_CONCURRENCY: '4' } },
    );
  });

  it('waits behind the requests of clients, and says so where the queue is full', () =>
    withServer(
      ['--entry-script', 'held-sample.ts'],
      async (server) => {
        await server.ready();
        const slow = held();
        const busy = server.score(slow.data);
        await server.inFlight(1);
        const waits = server.score('');
        await until(async () => (await server.metric('scoring_requests_queued')) === 1);
        assert.deepEqual(await check(server), { status: 503, ready: false, reason: 'the deep check failed: queue_full' });
        assert.equal(await server.status('/readyz'), 200);
        slow.release();
        assert.deepEqual([(await busy).status, (await waits).status], [200, 200]);
        await until(async () => (await check(server)).status === 200);
      },
      { env: { DEEP_CHECK: 'true', WORKER_CONCURRENCY: '1', QUEUE_MAX_REQUESTS: '1' } },
    ));

  it('is one run for a thousand that ask at a time, is no request, and collects nothing', () => {
    const data = folder();
    const count = join(folder(), 'runs');
    const text = `import { appendFileSync } from 'node:fs';
      import { Collector } from 'scoring-server';
      const rows = new Collector({ name: 'rows' });
      export const sample = 'sample';
      export function init() {}
      export function run(data, request) {
        appendFileSync('${count}', request.id + '\\n');
        rows.collect([{ of: data }]);
        console.log('ran for ' + request.id);
        return data;
      }`;
    return withScript(
      text,
      async (server) => {
        const asked = await Promise.all(Array.from({ length: 1000 }, () => check(server)));
        assert.ok(asked.every(({ status }) => status === 200));
        assert.equal((await server.score('client')).status, 200);
        const runs = readFileSync(count, 'utf8').split('\n');
        const checks = runs.filter((id) => id === 'deep-check').length;
        assert.ok(checks >= 1 && checks < 10, `${checks} runs`);
        assert.ok(runs.includes('warm-up'));
        assert.equal(await server.metric('scoring_request_duration_seconds_count'), 1);
        assert.equal(server.linesWith('request').filter(({ msg }) => msg === 'request').length, 1);
        assert.equal((await server.said('ran for deep-check'))['requestId'], 'deep-check');
        await server.drain();
        assert.ok(existsSync(data));
        const sums = await server.line(({ msg, queued }) => queued !== undefined && msg.includes('collect'));
        assert.equal(JSON.stringify(sums).includes('"queued":'), true);
        assert.equal(sums['queued'], 3);
      },
      { env: { MDC_SINK: 'file', MDC_DIR: data, MDC_COLLECTIONS: 'request,response,rows' } },
    );
  });

  it('has no sample: the log says so at the start, and the check too', () =>
    withServer(
      ['--entry-script', 'echo.ts'],
      async (server) => {
        await server.ready();
        await server.said('DEEP_CHECK has no effect but 503: there is no sample');
        assert.match((await check(server)).reason ?? '', /^the deep check has no sample/);
        assert.equal(await server.status('/readyz'), 200);
      },
      { env: { DEEP_CHECK: 'true' } },
    ));
});
