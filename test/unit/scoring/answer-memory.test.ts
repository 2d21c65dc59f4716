import assert from 'node:assert/strict';
import test from 'node:test';
import { pino } from 'pino';
import { AnswerMemory, LASTING_STALLED_MS, STALLED_MS, type Taker } from '../../../server/scoring/answer-memory.ts';

const MiB = 2 ** 20;

class Client implements Taker {
  unsent: number;
  taken = 0;
  closed = false;

  constructor(unsent: number) {
    this.unsent = unsent;
  }

  takes(bytes: number): void {
    this.taken += bytes;
  }

  close(): void {
    this.closed = true;
    this.unsent = 0;
  }
}

class Pipe {
  paused = false;

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    this.paused = false;
  }
}

function memory(maxBytes: number): { answers: AnswerMemory; pipe: Pipe; pass: (ms: number) => void; lines: string[] } {
  let now = 1000;
  const lines: string[] = [];
  const answers = new AnswerMemory(maxBytes, pino({}, { write: (line: string) => void lines.push(line) }), () => now);
  const pipe = new Pipe();
  answers.attach(pipe);
  return { answers, pipe, pass: (ms) => (now += ms), lines };
}

test('pipes are left unread while more than the limit is held, and read again when clients have taken enough', () => {
  const { answers, pipe, pass } = memory(10 * MiB);
  const first = answers.hold(6 * MiB, new Client(6 * MiB));
  assert.deepEqual([pipe.paused, answers.pausedUntil], [false, 0]);
  const second = answers.hold(6 * MiB, new Client(6 * MiB));
  assert.deepEqual([pipe.paused, answers.bytes], [true, 12 * MiB]);
  const late = new Pipe();
  answers.attach(late);
  assert.equal(late.paused, true);
  pass(100);
  assert.equal(answers.pausedUntil, 1100);
  first.release();
  pass(100);
  assert.deepEqual([pipe.paused, late.paused, answers.pausedUntil], [false, false, 1100]);
  first.release();
  second.release();
  assert.equal(answers.bytes, 0);
});

test('the pipe of a worker that has ended is read to its end', () => {
  const { answers, pipe } = memory(MiB);
  const held = answers.hold(2 * MiB);
  answers.detach(pipe);
  assert.equal(pipe.paused, false);
  held.release();
  answers.hold(2 * MiB);
  assert.equal(pipe.paused, false);
});

test('when there is no room, clients that took nothing are cut off, the oldest first, and no more of them than needed', () => {
  const { answers, pipe, pass, lines } = memory(10 * MiB);
  const clients = [4, 4, 2].map((size) => new Client(size * MiB));
  for (const client of clients) answers.hold(client.unsent, client);
  pass(STALLED_MS);
  const next = new Client(3 * MiB);
  answers.hold(next.unsent, next);
  assert.deepEqual(
    clients.map(({ closed }) => closed),
    [true, false, false],
  );
  assert.deepEqual([next.closed, pipe.paused, answers.bytes], [false, false, 9 * MiB]);
  assert.match(lines.join(''), /clients that do not read/);
  // Those that wait are stalled already: nobody waits for them again.
  answers.hold(MiB * 4, new Client(MiB * 4));
  assert.deepEqual([clients[1]?.closed, pipe.paused], [true, false]);
});

test('when clients had to be cut off and memory is short still, the next have less time to begin', () => {
  const { answers, pass } = memory(MiB);
  const clients = Array.from({ length: 3 }, () => new Client(2 * MiB));
  const closed: boolean[][] = [];
  for (const client of clients) {
    answers.hold(client.unsent, client);
    pass(client === clients[0] ? STALLED_MS : LASTING_STALLED_MS);
    answers.hold(1, new Client(1)).release();
    closed.push(clients.map((each) => each.closed));
  }
  assert.deepEqual(closed.at(-1), [true, true, true]);
  const later = new Client(2 * MiB);
  pass(10_000);
  answers.hold(later.unsent, later);
  pass(LASTING_STALLED_MS);
  answers.hold(1, new Client(1)).release();
  assert.equal(later.closed, false);
});

test('nobody is cut off while there is room, nor a client that goes on reading', () => {
  const { answers, pass } = memory(10 * MiB);
  const [idle, reads] = [new Client(5 * MiB), new Client(5 * MiB)];
  const held = [idle, reads].map((client) => answers.hold(client.unsent, client));
  pass(10 * STALLED_MS);
  for (const each of held) each.look();
  assert.deepEqual([idle.closed, reads.closed], [false, false]);
  reads.takes(MiB);
  for (const each of held) each.look();
  answers.hold(6 * MiB, new Client(6 * MiB));
  assert.deepEqual([idle.closed, reads.closed], [true, false]);
});

test('a trickle is no reading', () => {
  const { answers, pass } = memory(MiB);
  const slow = new Client(MiB);
  const held = answers.hold(MiB, slow);
  for (let second = 0; second < 4; second++) {
    pass(1000);
    slow.takes(10_000);
    held.look();
  }
  answers.hold(1, new Client(1));
  assert.equal(slow.closed, true);
});

test('a stream that its client keeps up with is never stalled, however old it is', () => {
  const { answers, pass } = memory(MiB);
  const client = new Client(1000);
  const held = answers.hold(1000, client);
  client.unsent = 0;
  held.look();
  assert.equal(answers.bytes, 0);
  pass(10 * STALLED_MS);
  client.unsent = 1000;
  held.resize(1000);
  const other = answers.hold(2 * MiB, new Client(2 * MiB));
  assert.equal(client.closed, false);
  other.release();
  held.release();
});

test('what waits for the server itself counts, and is never cut off', () => {
  const { answers, pipe, pass } = memory(MiB);
  const held = answers.hold(2 * MiB);
  pass(STALLED_MS);
  answers.hold(1, new Client(1));
  assert.equal(pipe.paused, true);
  held.release();
  assert.equal(pipe.paused, false);
});
