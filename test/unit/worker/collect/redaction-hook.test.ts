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
  const redaction = new RedactionHook(hook as never, new ToHost(new FrameWriter(pipe, setImmediate)), (text) => warnings.push(text), 50);
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
  const redaction = new RedactionHook((body) => void got.push(body), new ToHost(new FrameWriter(pipe, setImmediate)), assert.fail);
  const bodies = ['{"name":"x","age":NaN}', '{"name":"NaN"}', '{"name":"x","age":NaN', '[Infinity,nan]'];
  for (const [number, body] of bodies.entries()) await redaction.redact(number, headOf(Buffer.from(body)), [Buffer.from(body)]);
  assert.deepEqual(got, [{ name: 'x', age: NaN }, { name: 'NaN' }, '{"name":"x","age":NaN', '[Infinity,nan]']);
});
