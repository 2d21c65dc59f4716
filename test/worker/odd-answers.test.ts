import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import test from 'node:test';
import type { ScoreReply } from '../../server/scoring/scorer-types.ts';
import { folder } from '../set-up/folder.ts';
import { withWorkers } from './start-workers.ts';

async function bytesOf({ body }: ScoreReply): Promise<Buffer> {
  return body instanceof Readable ? Buffer.concat((await body.toArray()) as Buffer[]) : body;
}

test('a status or a header that HTTP cannot carry is the fault of its script, by name', () =>
  withWorkers('odd-answers.ts', async (workers) => {
    const wrong: [how: string, why: RegExp][] = [
      ['control character', /the header x-a with the character U\+0001 at position 1/],
      ['long headers', /headers of more than 65536 characters/],
      ['odd status', /the status 99/],
      ['thrown header', /the header x-a with the character U\+0001/],
      ['stream header', /the header x-a with the character U\+007F/],
      ['no Response', /a header named "x y"/],
      ['no status', /the status 200: expected/],
    ];
    for (const [how, message] of wrong) await assert.rejects(workers.score(how), { code: 'result_not_http', message }, how);
    assert.equal(workers.pids.length, 1);
  }));

test('lengths of chunks are bytes, whatever their elements are', () =>
  withWorkers('odd-answers.ts', async (workers) => {
    const floats = Buffer.from(new Float32Array([1, 2, 3]).buffer);
    const four = Buffer.from(new Float64Array([4]).buffer);
    const expected: [how: string, bytes: Buffer][] = [
      ['floats as a body', floats],
      ['floats as chunks', Buffer.concat([floats, floats, four, floats])],
      ['large floats', Buffer.alloc(400_000)],
      ['shared memory', Buffer.alloc(20_008)],
      ['yielded views', Buffer.concat([floats, Buffer.alloc(3)])],
      ['yielded floats', Buffer.from('[1,2,3]\n')],
      ['one buffer again and again', Buffer.concat([1, 2, 3].map((round) => Buffer.alloc(100_000, round)))],
    ];
    for (const [how, bytes] of expected) {
      const got = await bytesOf(await workers.begin(how).reply);
      assert.ok(got.equals(bytes), `${how}: ${got.length} bytes, expected ${bytes.length}`);
    }
    assert.equal(workers.pids.length, 1);
  }));

test('a stream that fails just after its first chunk is a failure, or is broken off, every time', () =>
  withWorkers('odd-answers.ts', async (workers) => {
    let [clean, broken] = [0, 0];
    const one = async (): Promise<void> => {
      try {
        const reply = await workers.begin('fails after its first chunk').reply;
        await assert.rejects(bytesOf(reply), { code: 'run_failed' });
        broken++;
      } catch (error) {
        assert.equal((error as { code: string }).code, 'run_failed');
        clean++;
      }
    };
    for (let round = 0; round < 20; round++) await Promise.all(Array.from({ length: 16 }, one));
    assert.equal(clean + broken, 320);
    await workers.scorer.idle();
  }));

function progressFile(): string {
  const path = folder();
  return join(path, 'runs');
}
const runsIn = (file: string): string[] => readFileSync(file, 'utf8').trim().split('\n');

test('a run whose client leaves before it begins never begins', async () => {
  const file = progressFile();
  await withWorkers('odd-answers.ts', async (workers) => {
    const until = `${file}-until`;
    const first = workers.begin({ file, how: 'first', until });
    const left = Array.from({ length: 31 }, () => workers.begin({ file, how: 'left' }));
    const gone = left.map((scoring) => assert.rejects(scoring.reply, { code: 'client_gone' }));
    for (const scoring of left) scoring.cancel();
    // The first run blocks its thread until the cancels are in the pipe.
    await new Promise(setImmediate);
    writeFileSync(until, '');
    await Promise.all([first.reply, ...gone]);
    await workers.scorer.idle();
    const begun = runsIn(file).filter((how) => how === 'left').length;
    assert.ok(begun <= 3, `${begun} of 31 ran`);
  });
});

test('what a lost worker had not begun goes to another, once, and what had begun does not', async () => {
  const file = progressFile();
  await withWorkers('odd-answers.ts', async (workers) => {
    const lost = workers.begin({ file, how: 'exit' });
    const waiting = Array.from({ length: 20 }, (_, at) => workers.begin({ file, how: `run ${at}` }));
    await assert.rejects(lost.reply, { code: 'worker_lost' });
    const answers = await Promise.all(
      waiting.map((scoring) => scoring.reply.then(async (reply) => (await bytesOf(reply)).toString(), String)),
    );
    assert.deepEqual(
      answers,
      waiting.map((_, at) => `"run ${at}"`),
    );
    const runs = runsIn(file);
    assert.equal(new Set(runs).size, runs.length, 'no run began twice');
    await workers.lineWith('had not begun go to another');
    assert.equal(workers.scorer.load.inFlight, 0);
  });
});

test('a second loss is answered: a request is given to another worker once', async () => {
  const file = progressFile();
  await withWorkers('odd-answers.ts', async (workers) => {
    const three = ['exit', 'exit', 'exit', 'fine'].map((how) => workers.begin({ file, how }));
    const answers = await Promise.all(
      three.map(({ reply }) =>
        reply.then(
          ({ status }) => status,
          ({ code }: { code: string }) => code,
        ),
      ),
    );
    assert.deepEqual(answers, ['worker_lost', 'worker_lost', 'worker_lost', 'worker_lost']);
    assert.deepEqual(runsIn(file), ['exit', 'exit']);
  });
});

for (const how of ['no mark', 'a closed mark']) {
  test(`where the mark of begun runs is lost (${how}), nothing is run twice`, () =>
    withWorkers('breaks-pipe.ts', async (workers) => {
      const never = workers.begin(how);
      const rest = Array.from({ length: 3 }, () => workers.begin('a text'));
      for (const scoring of [never, ...rest]) await assert.rejects(scoring.reply, { code: 'worker_lost' });
      assert.equal((await workers.score('fine')).json, 'fine');
    }));
}
