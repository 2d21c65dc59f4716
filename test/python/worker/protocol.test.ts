import assert from 'node:assert/strict';
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { test } from '../python-test.ts';
import { HostKind, PROTOCOL_VERSION } from '../../../server/ipc/kinds.ts';
import { folder } from '../../set-up/folder.ts';
import { until } from '../../set-up/until.ts';
import { RawWorker, withRawWorker } from './raw-worker.ts';

test('a start of another version is refused by name, with the exit code of a fault of the server', () =>
  withRawWorker('pid.py', async (worker) => {
    worker.writer.write(0, HostKind.start, ['{"version":99}']);
    assert.match(
      (await worker.frame('startFailed')).text,
      new RegExp(`"version_mismatch".*'start' has version 99 of their protocol, expected ${PROTOCOL_VERSION}\\. Restart`),
    );
    assert.equal(await worker.exited, 1);
  }));

for (const [how, kind, payload, why] of [
  ['a start of another form', HostKind.start, `{"version":${PROTOCOL_VERSION},"entryScript":7}`, /entryScript is 7/],
  ['a start that is no JSON', HostKind.start, '{', /'start' that is not a JSON object/],
  ['another kind first', HostKind.cancel, '', /a frame of kind 3 before 'ready'/],
] as const)
  test(`a worker that gets ${how} logs it, and ends`, () =>
    withRawWorker('pid.py', async (worker) => {
      worker.writer.write(0, kind, [payload]);
      assert.match((await worker.frame('log')).text, why);
      assert.equal(await worker.exited, 1);
    }));

for (const mode of ['pid.py', 'on_event_loop.py', 'pool'])
  for (const [how, kind, payload, why] of [
    ['a kind that no host sends', 99, '', /a frame of kind 99 and 0 bytes/],
    ['a second start', HostKind.start, '{}', /a frame of kind 1/],
    ['a short request', HostKind.score, 'x', /a request that is too short/],
    ['a request of an unknown protocol', HostKind.score, '\x09\0\0\0\0', /a request of protocol 9/],
  ] as const)
    test(`a worker that serves and gets ${how} logs it, and ends (${mode})`, () =>
      withRawWorker(mode === 'pool' ? 'pid.py' : mode, async (worker) => {
        await worker.ready({ concurrencyIsDefault: mode !== 'pool' });
        worker.writer.write(1, kind, [payload]);
        assert.match((await worker.frame('log')).text, why);
        assert.equal(await worker.exited, 1);
      }));

test('a run that was cancelled before it began never begins', () =>
  withRawWorker('pid.py', async (worker) => {
    await worker.ready();
    // One write, and so one read.
    worker.score(1, 'a');
    worker.score(2, 'b');
    worker.to.cancel(2);
    worker.score(3, 'c');
    await worker.frame('reply', 3);
    assert.match((await worker.frame('failure', 2)).text, /"client_gone".*about to begin/);
    assert.deepEqual(
      worker.frames.filter(({ id }) => id === 2).map(({ kind }) => kind),
      ['cancelled', 'failure'],
    );
    assert.equal(worker.begun, 3);
  }));

test('the start mark counts the runs that have begun; a run that takes long acknowledges a cancel, and gives back what waits', async () => {
  const path = folder();
  process.env['BEGUN_FILE'] = join(path, 'begun');
  process.env['RELEASE_FILE'] = join(path, 'release');
  await withRawWorker('runs_once.py', async (worker) => {
    assert.equal((await worker.ready())['ahead'], 16);
    worker.score(1, 'a');
    await until(() => existsSync(join(path, 'begun')));
    worker.score(2, 'b');
    worker.score(3, 'c');
    worker.to.cancel(1);
    for (const id of [2, 3]) await worker.frame('returned', id);
    await worker.frame('cancelled', 1);
    assert.deepEqual(
      worker.frames.filter(({ kind }) => kind === 'returned').map(({ id }) => id),
      [3, 2],
      'the latest first',
    );
    assert.deepEqual([worker.begun, worker.frames.some(({ kind }) => kind === 'reply')], [1, false]);
    writeFileSync(join(path, 'release'), '');
    await worker.frame('reply', 1);
    worker.score(4, 'b');
    await worker.frame('reply', 4);
    assert.equal(worker.begun, 4);
  });
});

test('what waits behind a stream whose client does not read is given back', async () => {
  process.env['NOTES'] = folder();
  await withRawWorker('streams.py', async (worker) => {
    await worker.ready();
    worker.score(1, 'large');
    // The window is full with the fifth chunk of 64 KiB.
    await until(() => worker.frames.filter(({ kind }) => kind === 'chunk').length === 5);
    for (const id of [2, 3]) {
      worker.score(id, 'pid');
      await worker.frame('returned', id);
    }
    worker.to.cancel(1);
    assert.match((await worker.frame('broken', 1)).text, /client_gone/);
  });
});

const body = Buffer.from('{"loop":true}');
const hook = { id: 'request', sides: [{ collection: 'request', contentType: 'application/json', bytes: body.length }] } as const;

test('a request behind a redaction that takes long is not given back: its worker is the one that is free', () =>
  withRawWorker('redacts.py', async (worker) => {
    await worker.ready();
    worker.to.redact(1, hook, [body]);
    worker.score(2, {});
    // What follows the first of these was read after the request.
    for (const id of [3, 4]) {
      worker.to.cancel(id);
      await worker.frame('cancelled', id);
    }
    worker.to.cancel(2);
    await worker.frame('failure', 2);
    assert.ok(!worker.frames.some(({ kind }) => kind === 'returned'));
    worker.child.kill('SIGKILL');
  }));

test('a run that takes long acknowledges a cancel, also while a redaction waits', async () => {
  const path = folder();
  process.env['BEGUN_FILE'] = join(path, 'begun');
  process.env['RELEASE_FILE'] = join(path, 'release');
  await withRawWorker('runs_once.py', async (worker) => {
    await worker.ready();
    worker.score(1, 'a');
    await until(() => existsSync(join(path, 'begun')));
    worker.to.redact(2, hook, [body]);
    for (const id of [3, 1]) {
      worker.to.cancel(id);
      await worker.frame('cancelled', id);
    }
    writeFileSync(join(path, 'release'), '');
    await worker.frame('reply', 1);
    await worker.frame('redacted', 2);
  });
});

test('a traced run is timed before its answer, and only where tracing is on and the trace is sampled', () =>
  withRawWorker('pid.py', async (worker) => {
    await worker.ready({ tracing: true });
    const traceparent = (flags: string) => `00-0123456789abcdef0123456789abcdef-0123456789abcdef-${flags}`;
    worker.score(1, 'a', { traceparent: traceparent('01') });
    worker.score(2, 'b', { traceparent: traceparent('00') });
    worker.score(3, 'c');
    await worker.frame('reply', 3);
    const kinds = worker.frames.filter(({ id }) => id > 0).map(({ kind, id }) => `${kind} ${id}`);
    assert.deepEqual(kinds, ['times 1', 'reply 1', 'reply 2', 'reply 3']);
    const times = JSON.parse(worker.frames.find(({ kind }) => kind === 'times')!.text) as Record<string, unknown>;
    assert.ok(Math.abs(Date.now() - Number(times['at'])) < 60_000);
    assert.deepEqual([typeof times['ms'], times['inferences']], ['number', []]);
  }));

test('ready says the mode of the script, and its interpreter', async () => {
  for (const [script, more, concurrency] of [
    ['pid.py', {}, 1],
    ['pid.py', { concurrencyIsDefault: false }, 4],
    ['on_event_loop.py', {}, 4],
    ['two_at_a_time.py', {}, 2],
    ['two_at_a_time.py', { concurrency: 1 }, 1],
  ] as const)
    await withRawWorker(script, async (worker) => {
      const ready = await worker.ready(more);
      assert.equal(ready['concurrency'], concurrency);
      assert.match(String(ready['runtime']), /^Python 3\.\d+\.\d+ \(\/.*\)$/);
    });
});

test('the deep check runs the sample, and a worker without one says so', async () => {
  await withRawWorker('two_at_a_time.py', async (worker) => {
    assert.equal((await worker.ready({ deepCheck: true }))['checks'], true);
    worker.score(1, '', { protocol: 'sample' });
    assert.match((await worker.frame('reply', 1)).text, /the sample/);
  });
  await withRawWorker('pid.py', async (worker) => {
    assert.equal((await worker.ready({ deepCheck: true }))['checks'], false);
    worker.score(1, '', { protocol: 'sample' });
    assert.match((await worker.frame('failure', 1)).text, /no sample/);
  });
});

test('a pipe that takes nothing costs no run: lines are dropped and counted, then all goes on', async () => {
  const file = join(folder(), 'printed');
  process.env['PRINTED_FILE'] = file;
  await withRawWorker('prints.py', async (worker) => {
    await worker.ready();
    worker.pipe.pause();
    worker.score(1, 100_000);
    await until(() => existsSync(file));
    worker.pipe.resume();
    await worker.frame('reply', 1);
    worker.score(2, 'say');
    await worker.frame('reply', 2);
    const logs = worker.frames.filter(({ kind }) => kind === 'log').map(({ text }) => JSON.parse(text) as Record<string, unknown>);
    const sent = logs.filter(({ msg }) => /^line \d+$/.test(String(msg))).length;
    const dropped = logs.reduce((sum, { dropped: count = 0 }) => sum + Number(count), 0);
    assert.ok(dropped > 0, `${sent} lines`);
    assert.equal(sent + dropped, 100_000);
  });
});

const versions = join(homedir(), '.pyenv/versions');
const old = existsSync(versions) ? readdirSync(versions).filter((each) => /^(?:2\.|3\.[6-9]\.)/.test(each)) : [];
for (const version of old)
  test(`an interpreter that is too old (${version}) says so in one line with the cure`, async () => {
    const worker = new RawWorker('pid.py', join(versions, version, 'bin/python'));
    try {
      const { code, message } = JSON.parse((await worker.frame('startFailed')).text) as Record<string, string>;
      assert.equal(code, 'script_broken');
      assert.match(
        message!,
        new RegExp(`needs Python 3\\.10 or later, got Python ${version} \\(/.*/bin/python.*AZUREML_INFERENCE_PYTHON_PATH`),
      );
      assert.equal(worker.stderr, '');
    } finally {
      await worker.end();
    }
  });
