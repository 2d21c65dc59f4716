/** Opens connections that send one request each, then nothing, and reports how they end. */
import { connect, type Socket } from 'node:net';
import { answerMessages } from './program.ts';

export type IdleMessage = { readonly open: number; readonly port: number } | { readonly ended: true };

export interface Opened {
  /** Connections with a whole answer. */
  readonly answered: number;
  /** Connections that the server closed before an answer. */
  readonly refused: number;
}

export interface Ended {
  /** Closed by the server in order. */
  readonly closed: number;
  readonly reset: number;
  readonly open: number;
}

/** That are opened at a time. */
const AT_ONCE = 200;

const open = new Set<Socket>();
let closed = 0;
let reset = 0;

function one(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    let failed = false;
    const socket = connect({ port, host: '127.0.0.1' });
    open.add(socket);
    socket.once('data', () => resolve(true));
    socket.once('end', () => socket.end());
    socket.once('error', () => (failed = true));
    socket.once('close', () => {
      open.delete(socket);
      if (failed) reset++;
      else closed++;
      resolve(false);
    });
    // Not before it is accepted: a reset would hide a refusal.
    socket.once('connect', () => setTimeout(() => socket.writable && socket.write('GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n'), 50));
  });
}

answerMessages<IdleMessage>(async (message) => {
  if ('open' in message) {
    let answered = 0;
    for (let number = 0; number < message.open; number += AT_ONCE) {
      const some = Array.from({ length: Math.min(AT_ONCE, message.open - number) }, () => one(message.port));
      answered += (await Promise.all(some)).filter(Boolean).length;
    }
    return { answered, refused: message.open - answered } satisfies Opened;
  }
  return { closed, reset, open: open.size } satisfies Ended;
});
