import { Counter, type Registry } from 'prom-client';

/**
 * Counts of requests. The room `access` keeps them and this room may not import it, so only the
 * form is known.
 */
interface Counts {
  readonly byKey: ReadonlyMap<string, number>;
  readonly missing: number;
  readonly wrong: number;
}

/** Adds what shows whether clients have changed their keys. Scrapes are counted, too. */
export function addAccessMetrics(registry: Registry, counts: Counts): void {
  const registers = [registry];
  const requests = new Counter({
    name: 'server_key_requests_total',
    help: 'requests with a key that counts, by its name',
    labelNames: ['key'],
    registers,
    collect() {
      requests.reset();
      for (const [key, total] of counts.byKey) requests.inc({ key }, total);
    },
  });
  const refused = new Counter({
    name: 'server_access_refused_total',
    help: 'requests refused because their key or token was missing or wrong',
    labelNames: ['reason'],
    registers,
    collect() {
      refused.reset();
      refused.inc({ reason: 'missing' }, counts.missing);
      refused.inc({ reason: 'wrong' }, counts.wrong);
    },
  });
}
