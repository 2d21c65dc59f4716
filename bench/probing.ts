import { Agent } from 'node:http';
import { ask } from './ask.ts';

const PROBES_PER_SECOND = 10;
const PROBE_LIMIT_MS = 10_000;

/**
 * Asks a health probe now and then, whether or not the one before was answered. The function it
 * gives stops it and answers the times in ms.
 */
export function startProbing(url: string): () => Promise<number[]> {
  const agent = new Agent({ keepAlive: true });
  const probes: Promise<number>[] = [];
  const probe = async (): Promise<number> => {
    const start = performance.now();
    try {
      const { status } = await ask(url, { agent, timeoutMs: PROBE_LIMIT_MS });
      return status === 200 ? performance.now() - start : PROBE_LIMIT_MS;
    } catch {
      return PROBE_LIMIT_MS;
    }
  };
  const timer = setInterval(() => probes.push(probe()), 1000 / PROBES_PER_SECOND);
  return async () => {
    clearInterval(timer);
    const times = await Promise.all(probes);
    agent.destroy();
    return times;
  };
}
