import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { Duplex } from 'node:stream';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import { FrameReader } from '../../server/ipc/frame-reader.ts';
import { FrameWriter, MOST_FRAME_BYTES } from '../../server/ipc/frames.ts';
import { HostKind, PROTOCOL_VERSION, WorkerKind } from '../../server/ipc/kinds.ts';
import { Workers } from './start-workers.ts';

const MAIN = fileURLToPath(new URL('../../server/worker/main.ts', import.meta.url));

/** Starts a worker, sends it one frame, and resolves to its frames and exit code. */
async function startWith(payload: string): Promise<{ frames: [number, string][]; code: unknown }> {
  const child = spawn(process.execPath, [MAIN], { stdio: ['ignore', 'inherit', 'inherit', 'pipe'] });
  const pipe = child.stdio[3];
  assert.ok(pipe instanceof Duplex);
  const frames: [number, string][] = [];
  const reader = new FrameReader((_id, kind, bytes) => frames.push([kind, bytes.toString()]), MOST_FRAME_BYTES);
  pipe.on('data', (chunk: Buffer) => reader.feed(chunk));
  const writer = new FrameWriter(pipe, setImmediate);
  writer.write(0, HostKind.start, [payload]);
  const [[code]] = await Promise.all([once(child, 'exit'), once(pipe, 'close')]);
  return { frames, code };
}

test('a start of another version is refused by name, with the exit code of a fault of the server', async () => {
  const { frames, code } = await startWith('{"version":99}');
  assert.equal(code, 1);
  assert.deepEqual(
    frames.map(([kind]) => kind),
    [WorkerKind.startFailed],
  );
  assert.match(
    frames[0]?.[1] ?? '',
    new RegExp(`"version_mismatch".*'start' has version 99 of their protocol, expected ${PROTOCOL_VERSION}\\. Restart`),
  );
});

test('a worker that gets a start of another form logs which, and ends', async () => {
  const { frames, code } = await startWith(`{"version":${PROTOCOL_VERSION},"entryScript":7}`);
  assert.equal(code, 1);
  assert.match(frames[0]?.[1] ?? '', /a message 'start' of another form than expected: .*entryScript/);
});

test('a host whose worker is of another version fails to start, with the reason', async () => {
  const workers = new Workers('ready-of-another-version.ts');
  try {
    const error = await workers.failure;
    assert.equal(error.code, 'version_mismatch');
    assert.match(error.message, new RegExp(`'ready' has version 99 of their protocol, expected ${PROTOCOL_VERSION}`));
  } finally {
    await workers.stop();
  }
});
