/** Probes several servers in turn, each as often as the others, by a connection for each probe. */
import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { PATHS, type ProbePath, RIGHT } from './probe-answers.ts';
import { answerMessages } from './program.ts';

export interface Probing {
  readonly ports: readonly number[];
  readonly ms: number;
}

export interface Probed {
  /** Milliseconds from the connection to the end of the answer, of each probe. */
  readonly times: number[];
  /** What a server said that is ready and live, and what others said. */
  readonly wrong: string[];
}

/** Between two probes, whichever server they ask. */
const PAUSE_MS = 5;
/** Then a probe has failed. */
const LIMIT_MS = 5000;

function probe(port: number, path: string): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    socket.setEncoding('latin1').setTimeout(LIMIT_MS, () => socket.destroy());
    socket.on('data', (chunk: string) => (text += chunk));
    socket.on('error', (error) => (text += error.message));
    socket.on('close', () => resolve(text));
    socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
  });
}

answerMessages(async ({ ports, ms }: Probing) => {
  const results: Probed[] = ports.map(() => ({ times: [], wrong: [] }));
  const under: Promise<void>[] = [];
  const one = async (server: number, path: ProbePath): Promise<void> => {
    const began = performance.now();
    const text = await probe(ports[server]!, path);
    results[server]!.times.push(performance.now() - began);
    if (!text.startsWith('HTTP/1.1 200 ') || !text.endsWith(`\r\n\r\n${RIGHT[path]}`)) results[server]!.wrong.push(`${path}: ${text}`);
  };
  const ends = performance.now() + ms;
  for (let sent = 0; performance.now() < ends; sent++) {
    // Does not wait for the answer, so that a slow server is asked as often as the other.
    under.push(one(sent % ports.length, PATHS[Math.floor(sent / ports.length) % PATHS.length]!));
    await delay(PAUSE_MS);
  }
  await Promise.all(under);
  return { results };
});
