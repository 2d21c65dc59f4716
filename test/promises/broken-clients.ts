import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { PACKETS } from '../abuse/packets.ts';

const POST = 'POST /score HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n';
/** How long a broken client stays that waits for nothing. */
const STAY_MS = 500;

/** What a broken client does with its connection; it ends when this does. */
const ways: Record<string, (socket: Socket) => Promise<unknown> | undefined> = {
  'half a request': (socket) => {
    socket.write(POST.slice(0, 30));
    return delay(STAY_MS);
  },
  'a reset inside a body': async (socket) => {
    await new Promise((resolve) => socket.write(`${POST}Content-Length: 5000\r\n\r\n${'['.repeat(2000)}`, resolve));
    socket.resetAndDestroy();
  },
  'answers that nobody reads': (socket) => {
    socket.pause();
    socket.write('GET /swagger.json HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(50));
    return delay(STAY_MS);
  },
  'a wrong length of a chunk': async (socket) => {
    socket.write(`${POST}Transfer-Encoding: chunked\r\n\r\nzz\r\n`);
    if (!socket.destroyed) await once(socket, 'close');
  },
  'two lengths': async (socket) => {
    socket.write(`${POST}Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}`);
    if (!socket.destroyed) await once(socket, 'close');
  },
  'a byte now and then': async (socket) => {
    for (const byte of POST.slice(0, 5)) {
      socket.write(byte);
      await delay(STAY_MS);
    }
  },
  'an odd packet and a reset': async (socket) => {
    const packet = PACKETS[Math.floor(Math.random() * PACKETS.length)]!;
    await new Promise((resolve) => socket.write(packet, resolve));
    socket.resetAndDestroy();
  },
  'no byte': () => delay(STAY_MS),
};
const names = Object.keys(ways);

async function breakOne(port: number, name: string): Promise<void> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  socket.on('error', () => undefined);
  socket.resume();
  await once(socket, 'connect');
  // A write to a connection that the server has ended calls back with an error.
  await ways[name]?.(socket);
  socket.destroy();
}

/** So many broken clients a second, one way after the other. Resolves when all have gone. */
export async function breakClients(port: number, perSecond: number, running: () => boolean, count: (name: string) => void): Promise<void> {
  const under: Promise<void>[] = [];
  const start = performance.now();
  for (let sent = 0; running();) {
    for (const now = performance.now(); start + (sent * 1000) / perSecond <= now; sent++) {
      const name = names[sent % names.length]!;
      under.push(breakOne(port, name).then(() => count(name)));
    }
    await delay(1);
  }
  await Promise.all(under);
}
