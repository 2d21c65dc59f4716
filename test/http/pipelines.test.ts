import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import { LONGEST_PIPELINE } from '../../server/http/pipelines.ts';
import { open, rest } from './raw-client.ts';
import { start } from './start.ts';

const GET = 'GET / HTTP/1.1\r\nHost: x\r\n\r\n';
const LAST = 'GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n';
const POST = 'POST /score HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}';

describe('a pipeline', () => {
  it('is answered in order, again and again', async (t) => {
    const { port, scorer } = await start(t);
    const socket = await open(port);
    for (let round = 0; round < 2; round++) {
      const answer = Promise.withResolvers<object>();
      scorer.outcome = () => answer.promise;
      const scored = scorer.called('score');
      socket.write(POST + GET.repeat(LONGEST_PIPELINE - 1));
      await scored;
      answer.resolve({});
    }
    socket.write(LAST);
    assert.equal((await rest(socket)).split('HTTP/1.1 200').length - 1, 2 * LONGEST_PIPELINE + 1);
  });

  it('that is too long costs its connection, and what waits in it is cancelled', async (t) => {
    const { port, scorer, line } = await start(t);
    scorer.outcome = () => new Promise(() => undefined);
    const socket = await open(port);
    socket.on('error', () => undefined);
    const closed = once(socket, 'close');
    const cancelled = scorer.called('cancel');
    socket.write(POST + GET.repeat(LONGEST_PIPELINE + 100));
    await closed;
    await cancelled;
    await line(({ msg }) => msg === 'expected at most 256 requests ahead of their answers, got more');
  });
});
