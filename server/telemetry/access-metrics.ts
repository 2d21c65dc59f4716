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
  const byKey = new Counter({
    name: 'server_key_requests_total',
    help: 'requests with a key that counts, by its name',
    labelNames: ['key'],
    registers: [],
    collect() {
      this.reset();
      for (const [key, requests] of counts.byKey) this.inc({ key }, requests);
    },
  });
  const refused = new Counter({
    name: 'server_access_refused_total',
    help: 'requests refused because their key or token was missing or wrong',
    labelNames: ['reason'],
    registers: [],
    collect() {
      this.reset();
      const { missing, wrong } = counts;
      for (const [reason, requests] of Object.entries({ missing, wrong })) this.inc({ reason }, requests);
    },
  });
  registry.registerMetric(byKey);
  registry.registerMetric(refused);
}
