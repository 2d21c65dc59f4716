import assert from 'node:assert/strict';
import type { IncomingMessage } from 'node:http';
import { describe, it, type TestContext } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { Pacing, type PacedUpload } from '../../../server/http/pacing.ts';

const KB = 1024;

/** An upload on a connection that only notes whether it is read. */
class FakeUpload {
  readonly handle = {
    reading: true,
    reads: true,
    readStop: () => (this.handle.reads = false),
    readStart: () => (this.handle.reads = true),
  };
  readonly socket: { _handle: FakeUpload['handle'] | null } = { _handle: this.handle };
  readonly paced: PacedUpload;

  constructor(pacing: Pacing, complete = false) {
    this.paced = pacing.pace({ complete, socket: this.socket } as unknown as IncomingMessage);
  }

  /** One read, of pieces of one byte or of one large piece. */
  read(pieces: number, bytes = 1): this {
    for (let piece = 0; piece < pieces; piece++) this.paced.took(bytes);
    return this;
  }
}

function mocked(t: TestContext): (ms: number) => void {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  return (ms) => t.mock.timers.tick(ms);
}

describe('the pacing of uploads', () => {
  it('stops each upload above the budget of a turn, and starts all of them again, a budget in a turn', async () => {
    const pacing = new Pacing();
    const uploads = Array.from({ length: 6 }, () => new FakeUpload(pacing).read(1, 64 * KB));
    const read = (): number => uploads.filter(({ handle }) => handle.reads).length;
    assert.equal(read(), 1);
    for (const reads of [3, 5, 6, 6]) {
      await turn();
      assert.equal(read(), reads);
    }
  });

  it('costs a body nothing that came with its head', () => {
    assert.ok(new FakeUpload(new Pacing(), true).read(1, 1024 * KB).handle.reads);
  });

  it('rests after a heavy read as long as it was heavy', async (t) => {
    const after = mocked(t);
    for (const [pieces, restMs] of [
      [1100, 6],
      [5500, 32],
      [11_000, 64],
    ] as const) {
      const { handle } = new FakeUpload(new Pacing()).read(pieces);
      await turn();
      after(restMs - 1);
      assert.ok(!handle.reads, `${pieces} pieces rest ${restMs} ms`);
      after(2);
      assert.ok(handle.reads, `${pieces} pieces rest no longer than ${restMs} ms`);
    }
  });

  it('starts heavy uploads one after the other, also behind one whose connection has ended', async (t) => {
    const after = mocked(t);
    const pacing = new Pacing();
    const uploads = Array.from({ length: 3 }, () => new FakeUpload(pacing).read(11_000));
    uploads[0]!.socket._handle = null;
    await turn();
    const counts = Array.from({ length: 3 }, () => {
      after(66);
      return uploads.filter(({ handle }) => handle.reads).length;
    });
    assert.deepEqual(counts, [0, 1, 2]);
  });

  it('leaves a connection stopped that Node has stopped because of unread answers', async () => {
    const { handle } = new FakeUpload(new Pacing()).read(1, 256 * KB);
    handle.reading = false;
    await turn();
    assert.ok(!handle.reads);
  });
});
