import { once } from 'node:events';
import { request } from 'node:http';
import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { connect as connectTls } from 'node:tls';
import { breakClients } from './broken-clients.ts';
import { BROKEN_PER_SECOND } from './limits.ts';
import { openLoop } from './open-loop.ts';

export interface Loading {
  readonly port: number;
  readonly running: () => boolean;
  readonly count: (what: string) => void;
}

export type LoadName = 'saturation' | 'spins' | 'uploads' | 'chunks' | 'floods' | 'scrapes' | 'handshakes' | 'broken';

const MB = 1024 * 1024;
const BYTES = { 'content-type': 'application/octet-stream' };
/** More than a worker of test/scripts/works.ts answers on any machine. */
const SATURATION_PER_SECOND = 1500;
/** Of a run of test/python/scripts/spins.py. */
const SPIN_MS = 200;
const HANDSHAKES_PER_SECOND = 100;

/** Does it again and again, so many times at once. */
async function repeat({ running }: Loading, times: number, one: () => Promise<void>): Promise<void> {
  const keep = async (): Promise<void> => {
    while (running()) await one();
  };
  await Promise.all(Array.from({ length: times }, keep));
}

/** Resolves with the status and the body's length; status 0: the connection ended. */
function ask(port: number, path: string, body: readonly Buffer[], headers: Record<string, string> = {}): Promise<number> {
  return new Promise((resolve) => {
    const asked = request({ port, path, host: '127.0.0.1', method: body.length === 0 ? 'GET' : 'POST', headers, agent: false });
    asked.on('error', () => resolve(0));
    asked.on('response', (response) => {
      response.resume().once('close', () => resolve(response.statusCode ?? 0));
    });
    for (const piece of body) asked.write(piece);
    asked.end();
  });
}

const json = (value: unknown): Buffer[] => [Buffer.from(JSON.stringify(value))];

async function saturation({ port, running, count }: Loading): Promise<void> {
  const ended = (status: number): void => count(String(status));
  await openLoop({ port, perSecond: SATURATION_PER_SECOND, body: '1', running, ended });
}

/** Runs of a script that never lets go of its thread, one after the other, and others that wait. */
function spins(loading: Loading): Promise<void> {
  return repeat(loading, 4, async () => loading.count(String(await ask(loading.port, '/score', json(SPIN_MS)))));
}

/** Large uploads one after the other, and slow ones meanwhile. */
async function uploads(loading: Loading): Promise<void> {
  const { port, running, count } = loading;
  const large = Array.from({ length: 30 }, () => Buffer.alloc(MB, 0x20));
  const slow = async (): Promise<void> => {
    const socket = connect(port, '127.0.0.1').on('error', () => undefined);
    socket.write('POST /score HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n');
    for (; running(); await delay(100)) socket.write('x');
    count('slow');
    socket.destroy();
  };
  await Promise.all([
    repeat(loading, 2, async () => count(`large ${await ask(port, '/score', large, BYTES)}`)),
    ...Array.from({ length: 50 }, slow),
  ]);
}

/** Uploads in chunks of one byte, as fast as the server takes them. */
async function chunks(loading: Loading): Promise<void> {
  const tiny = Buffer.from('1\r\nA\r\n'.repeat(50_000));
  await repeat(loading, 4, async () => {
    const socket = connect(loading.port, '127.0.0.1').on('error', () => undefined);
    let text = '';
    socket.setEncoding('latin1').on('data', (piece: string) => (text += piece));
    socket.write(
      'POST /score HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/octet-stream\r\nTransfer-Encoding: chunked\r\n\r\n',
    );
    socket.write(tiny);
    socket.write('0\r\n\r\n');
    await once(socket, 'close');
    loading.count(text.slice(9, 12));
  });
}

/** Scripts that log as fast as they can: by the console, by a child, and in one large line. */
async function floods(loading: Loading): Promise<void> {
  const kinds = [
    ['console', 10_000],
    ['childLines', 50_000],
    ['line', 8],
  ] as const;
  await Promise.all(
    kinds.map((kind) =>
      repeat(loading, 1, async () =>
        loading.count(`${kind[0]} ${await ask(loading.port, '/score', json(kind), { 'content-type': 'application/json' })}`),
      ),
    ),
  );
}

function scrapes(loading: Loading): Promise<void> {
  return repeat(loading, 8, async () => loading.count(String(await ask(loading.port, '/metrics', []))));
}

/** Whole handshakes: no session is resumed. */
async function handshakes({ port, running, count }: Loading): Promise<void> {
  const one = async (): Promise<void> => {
    const socket = connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false });
    socket.on('error', () => count('failed')).once('secureConnect', () => socket.end(() => count('handshake')));
    socket.resume();
    await once(socket, 'close');
  };
  const under: Promise<void>[] = [];
  for (; running(); await delay(1000 / HANDSHAKES_PER_SECOND)) under.push(one());
  await Promise.allSettled(under);
}

const broken = ({ port, running, count }: Loading): Promise<void> => breakClients(port, BROKEN_PER_SECOND, running, count);

export const loads: Record<LoadName, (loading: Loading) => Promise<void>> = {
  saturation,
  spins,
  uploads,
  chunks,
  floods,
  scrapes,
  handshakes,
  broken,
};
