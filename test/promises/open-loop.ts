import { setTimeout as delay } from 'node:timers/promises';
import { Client } from '../faults/keep-alive-load.ts';

export interface OpenLoop {
  readonly port: number;
  readonly perSecond: number;
  readonly body: string;
  readonly running: () => boolean;
  /** @param ms from the time when the request was due */
  readonly ended: (status: number, ms: number, head: string) => void;
}

/**
 * Requests that come at a rate, whether or not those before are answered, as those of many clients
 * do. Resolves when all have ended. The status 0 is a connection that ended without an answer.
 */
export async function openLoop({ port, perSecond, body, running, ended }: OpenLoop): Promise<void> {
  const free: Client[] = [];
  const under = new Set<Promise<void>>();
  const ask = async (due: number): Promise<void> => {
    let client = free.pop();
    while (client?.closed === true) client = free.pop();
    try {
      client ??= await Client.open(port);
      const answer = await client.exchange(body);
      ended(answer?.status ?? 0, performance.now() - due, answer?.head ?? '');
      if (answer?.keep === true) free.push(client);
      else client.close();
    } catch {
      ended(0, performance.now() - due, '');
    }
  };
  const start = performance.now();
  for (let sent = 0; running();) {
    for (const now = performance.now(); start + (sent * 1000) / perSecond <= now; sent++) {
      const asked = ask(start + (sent * 1000) / perSecond);
      under.add(asked);
      void asked.then(() => under.delete(asked));
    }
    await delay(1);
  }
  await Promise.all(under);
  for (const client of free) client.close();
}
