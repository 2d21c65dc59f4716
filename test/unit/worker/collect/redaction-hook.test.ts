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

test('a hook gets text as run() does: without a byte-order mark, by its charset, and bytes where it is none', async () => {
  const got: unknown[] = [];
  const toHost = new ToHost(new FrameWriter(new PassThrough(), setImmediate));
  const redaction = new RedactionHook((body) => void got.push(body), { toHost, warn: assert.fail, mark: () => undefined });
  const mark = '\ufeff';
  const bodies: [string, Buffer][] = [
    ['application/json', Buffer.from(`${mark}{"name":"x"}`)],
    ['application/json', Buffer.from(`${mark}{"age":NaN}`)],
    ['', Buffer.from(`${mark}[1]`)],
    ['text/plain', Buffer.from(`${mark}x`)],
    ['text/plain; charset=utf-16le', Buffer.from(`${mark}{"name":"x"}`, 'utf16le')],
    ['text/csv; charset=latin1', Buffer.from('\u00e9', 'latin1')],
    ['text/plain', Buffer.from('end \u00e9').subarray(0, -1)],
    ['text/plain', Buffer.from([0xff, 0x20])],
    ['text/plain; charset=none', Buffer.from('x')],
    ['image/png', Buffer.from('x')],
  ];
  for (const [number, [contentType, body]] of bodies.entries()) {
    const side = { collection: 'request', contentType, bytes: body.length } as const;
    await redaction.redact(number, { id: 'i', sides: [side] }, [body]);
  }
  const bytes = [Buffer.from([0xff, 0x20]), Buffer.from('x'), Buffer.from('x')];
  assert.deepEqual(got, [{ name: 'x' }, { age: NaN }, [1], 'x', { name: 'x' }, '\u00e9', 'end ', ...bytes]);
});

test("the log gets the name and the place of a hook's error, and not its text, which may quote the body", async () => {
  const warnings: string[] = [];
  const hooks: ((body: unknown) => unknown)[] = [
    (body) => JSON.parse(String(body)),
    (body) => {
      throw new RangeError(`no\n    at ${String(body)} (file:///x.ts:1:1)`, { cause: body });
    },
    (body) => {
      throw body;
    },
    async (body) => Promise.reject(Object.assign(new Error('no', { cause: new Error(String(body)) }), { body })),
    (body) => ({
      toJSON: () => {
        throw new Error(String(body));
      },
    }),
  ];
  const body = Buffer.from('S3CRET');
  const head: RedactHead = { id: 'i', sides: [{ collection: 'request', contentType: 'text/plain', bytes: body.length }] };
  for (const each of hooks) {
    const toHost = new ToHost(new FrameWriter(new PassThrough(), setImmediate));
    const around = { toHost, warn: (text: string) => warnings.push(text), mark: () => undefined };
    await new RedactionHook(each, around).redact(1, head, [body]);
  }
  assert.equal(warnings.length, hooks.length);
  assert.doesNotMatch(warnings.join('\n'), /S3C/);
  const named = warnings.map((text) => /left out: (.*)/.exec(text)?.[1]);
  assert.deepEqual(named, ['SyntaxError', 'RangeError', 'a thrown string', 'Error', 'Error']);
  assert.match(warnings[1] ?? '', /^ +at .*redaction-hook\.test\.ts:\d+:\d+\)?$/m);
});

test('the form of what an async hook returns is read in a turn of its own, because runs may have waited for the same', async () => {
  const toHost = new ToHost(new FrameWriter(new PassThrough(), setImmediate));
  const marks: string[] = [];
  const shared = Promise.withResolvers<undefined>();
  const waits = async (): Promise<string> => {
    await shared.promise;
    return 'done';
  };
  const redaction = new RedactionHook(waits, { toHost, warn: assert.fail, mark: (begun, holder) => marks.push(`${begun}: ${holder}`) });
  const body = Buffer.from('1');
  const done = redaction.redact(7, headOf(body), [body]);
  while (marks.length < 2) await new Promise((resolve) => setImmediate(resolve));
  const runs = (async () => {
    await shared.promise;
    for (let turns = 0; turns < 20; turns++) await Promise.resolve();
    return marks.at(-1);
  })();
  shared.resolve(undefined);
  assert.equal(await runs, '1: 0');
  await done;
  assert.deepEqual(marks.slice(0, 3), ['1: 7', '1: 0', '1: 7']);
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
