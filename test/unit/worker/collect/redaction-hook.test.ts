import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import test from 'node:test';
import { FrameReader } from '../../../../server/ipc/frame-reader.ts';
import { FrameWriter, MOST_FRAME_BYTES } from '../../../../server/ipc/frames.ts';
import { WorkerKind } from '../../../../server/ipc/kinds.ts';
import type { RedactHead } from '../../../../server/ipc/redaction.ts';
import { ToHost } from '../../../../server/ipc/to-host.ts';
import { RedactionHook } from '../../../../server/worker/collect/redaction-hook.ts';

interface Body {
  readonly wish: 'hang' | 'fail' | 'nothing' | 'later';
}

function hook({ wish }: Body): unknown {
  if (wish === 'hang') return new Promise(() => undefined);
  if (wish === 'fail') throw new Error('cannot');
  return wish === 'nothing' ? undefined : Promise.resolve({ wish });
}

function headOf(body: Buffer): RedactHead {
  return { id: 'i', sides: [{ collection: 'request', contentType: 'application/json', bytes: body.length }] };
}

test('a hook that never ends is given up after a while, one that throws at once, and others are not kept waiting', async () => {
  const pipe = new PassThrough();
  const warnings: string[] = [];
  const toHost = new ToHost(new FrameWriter(pipe, setImmediate));
  const redaction = new RedactionHook(hook as never, { toHost, warn: (text) => warnings.push(text), mark: () => undefined }, 50);
  const answers: [number, string][] = [];
  const reader = new FrameReader((number, kind, payload) => {
    assert.equal(kind, WorkerKind.redacted);
    answers.push([number, payload.toString('utf8', 4)]);
  }, MOST_FRAME_BYTES);
  pipe.on('data', (chunk: Buffer) => reader.feed(chunk));
  const wishes = ['hang', 'fail', 'nothing', 'later'] as const;
  const bodies = wishes.map((wish) => Buffer.from(JSON.stringify({ wish } satisfies Body)));
  await Promise.all(bodies.map((body, number) => redaction.redact(number, headOf(body), [body])));
  while (answers.length < wishes.length) await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(answers, [
    [1, '["hook_failed"]'],
    [2, '[null]'],
    [3, '[{"contentType":"application/json","bytes":16}]{"wish":"later"}'],
    [0, '["hook_timeout"]'],
  ]);
  assert.equal(warnings.length, 1, 'logged once');
});

test("a hook gets parsed JSON, also with Python's bare NaN, and text where the body is neither", async () => {
  const pipe = new PassThrough();
  const got: unknown[] = [];
  const toHost = new ToHost(new FrameWriter(pipe, setImmediate));
  const redaction = new RedactionHook((body) => void got.push(body), { toHost, warn: assert.fail, mark: () => undefined });
  const bodies = ['{"name":"x","age":NaN}', '{"name":"NaN"}', '{"name":"x","age":NaN', '[Infinity,nan]'];
  for (const [number, body] of bodies.entries()) await redaction.redact(number, headOf(Buffer.from(body)), [Buffer.from(body)]);
  assert.deepEqual(got, [{ name: 'x', age: NaN }, { name: 'NaN' }, '{"name":"x","age":NaN', '[Infinity,nan]']);
});

test('the mark shows a hook while it has the thread: with its microtasks, and without what it awaits', async () => {
  const marks: string[] = [];
  const said: string[] = [];
  const toHost = new ToHost(new FrameWriter(new PassThrough(), setImmediate));
  const waits = async (): Promise<void> => {
    said.push(`called at ${marks.at(-1)}`);
    await Promise.resolve();
    await Promise.resolve();
    said.push(`after microtasks at ${marks.at(-1)}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
    said.push(`after a timer at ${marks.at(-1)}`);
  };
  const redaction = new RedactionHook(waits, { toHost, warn: assert.fail, mark: (begun, holder) => marks.push(`${begun}: ${holder}`) });
  const body = Buffer.from('1');
  const done = redaction.redact(7, headOf(body), [body]);
  assert.deepEqual(marks, [], 'frames that came with it are read first');
  await done;
  assert.deepEqual(said, ['called at 1: 7', 'after microtasks at 1: 7', 'after a timer at 1: 0']);
});

test('both bodies of a request share one limit: the host knows when a worker has to answer', async () => {
  const pipe = new PassThrough();
  const redaction = new RedactionHook(
    hook as never,
    {
      toHost: new ToHost(new FrameWriter(pipe, setImmediate)),
      warn: () => undefined,
      mark: () => undefined,
    },
    200,
  );
  const body = Buffer.from('{"wish":"hang"}');
  const from = performance.now();
  await redaction.redact(1, { id: 'i', sides: [...headOf(body).sides, ...headOf(body).sides] }, [body, body]);
  const took = performance.now() - from;
  assert.ok(took < 390, `answered after ${took} ms`);
});
