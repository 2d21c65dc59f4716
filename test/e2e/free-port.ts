import { once } from 'node:events';
import { createServer, type Server } from 'node:net';

/**
 * Below the ports that kernels give to outgoing connections: one of those could be taken before its
 * server listens.
 */
const [LOWEST, HIGHEST] = [10_000, 32_000];

/** A port of 127.0.0.1 that nobody listens on, for an option that cannot ask for any free one. */
export async function freePort(): Promise<number> {
  const [port = 0] = await freePorts(1, '127.0.0.1');
  return port;
}

/** Ports of an address that nobody listens on, each of them another. */
export async function freePorts(count: number, host: string): Promise<number[]> {
  const found = new Map<number, Server>();
  while (found.size < count) {
    const port = LOWEST + Math.floor(Math.random() * (HIGHEST - LOWEST));
    const server = createServer().listen(port, host);
    try {
      await once(server, 'listening');
      found.set(port, server);
    } catch {
      // Taken.
    }
  }
  for (const server of found.values()) {
    server.close();
    await once(server, 'close');
  }
  return [...found.keys()];
}

/**
 * An address of loopback that only this process uses, so that no port on it is taken between
 * `freePorts` and its server. Linux answers on all of 127.0.0.0/8, and has process ids of 22 bits.
 */
export function ownAddress(): string {
  return `127.${64 + (process.pid >> 16)}.${(process.pid >> 8) & 255}.${process.pid & 255}`;
}
