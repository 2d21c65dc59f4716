import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import test from 'node:test';
import { FrameReader } from '../../../../server/ipc/frame-reader.ts';
import { FrameWriter, MOST_FRAME_BYTES } from '../../../../server/ipc/frames.ts';
import { Kind, type RedactHead } from '../../../../server/ipc/protocol.ts';
import { RedactionHook } from '../../../../server/worker/collect/redact.ts';

interface Body {
  readonly wish: 'hang' | 'fail' | 'nothing' | 'later';
}

function hook({ wish }: Body): unknown {
  if (wish === 'hang') return new Promise(() => undefined);
  if (wish === 'fail') throw new Error('cannot');
  return wish === 'nothing' ? undefined : Promise.resolve({ wish });
}

function frame(body: Body): Buffer {
  const text = JSON.stringify(body);
  const sides = [{ collection: 'request' as const, contentType: 'application/json', bytes: text.length }];
  const head = JSON.stringify({ id: 'i', sides } satisfies RedactHead);
  const length = Buffer.alloc(4);
  length.writeUInt32LE(head.length);
  return Buffer.concat([length, Buffer.from(head + text)]);
}

test('a hook that never ends is given up after a while, one that throws at once, and others are not kept waiting', async () => {
  const pipe = new PassThrough();
  const warnings: string[] = [];
  const redaction = new RedactionHook(hook as never, new FrameWriter(pipe, setImmediate), (text) => warnings.push(text), 50);
  const answers: [number, string][] = [];
  const reader = new FrameReader((number, kind, payload) => {
    assert.equal(kind, Kind.redacted);
    answers.push([number, payload.toString('utf8', 4)]);
  }, MOST_FRAME_BYTES);
  pipe.on('data', (chunk: Buffer) => reader.feed(chunk));
  const wishes = ['hang', 'fail', 'nothing', 'later'] as const;
  await Promise.all(wishes.map((wish, number) => redaction.redact(number, frame({ wish }))));
  while (answers.length < wishes.length) await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(answers, [
    [1, '["hook_failed"]'],
    [2, '[null]'],
    [3, '[{"contentType":"application/json","bytes":16}]{"wish":"later"}'],
    [0, '["hook_timeout"]'],
  ]);
  assert.equal(warnings.length, 1, 'told once');
});
