import { once } from 'node:events';
import { createServer } from 'node:net';

/**
 * Below the ports that kernels give to outgoing connections: one of those could be taken before its
 * server listens.
 */
const [LOWEST, HIGHEST] = [10_000, 32_000];

/** A port of 127.0.0.1 that nobody listens on, for an option that cannot ask for any free one. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = LOWEST + Math.floor(Math.random() * (HIGHEST - LOWEST));
    const server = createServer().listen(port, '127.0.0.1');
    try {
      await once(server, 'listening');
    } catch {
      continue;
    }
    server.close();
    await once(server, 'close');
    return port;
  }
}
