import assert from 'node:assert/strict';
import { Duplex } from 'node:stream';
import test from 'node:test';
import { FrameWriter } from '../../../server/ipc/frames.ts';
import { ToHost } from '../../../server/ipc/to-host.ts';
import { LogFrames } from '../../../server/worker/log-frames.ts';

const MiB = 1024 * 1024;

test('lines that are logged while another one is written count against the same bound', () => {
  const stalled = new Duplex({ read: () => undefined, write: () => undefined });
  const lines = new LogFrames(new ToHost(new FrameWriter(stalled, () => undefined)));
  const inner = { level: 'info', msg: 'x'.repeat(64 * 1024) } as const;
  const fields = { toJSON: () => lines.send(inner) };
  for (let line = 0; line < 200; line++) lines.send({ level: 'info', msg: '', fields: { fields } });
  assert.ok(stalled.writableLength < 5 * MiB, `${stalled.writableLength} bytes wait`);
});
