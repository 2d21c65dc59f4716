import { Counter, Gauge, type Registry } from 'prom-client';

/** What the certificates know. This room may not import theirs, so only the form is known. */
interface Tls {
  /** Seconds since 1970. */
  readonly expiresAt: number;
  readonly failures: ReadonlyMap<string, number>;
}

/** Adds the metrics of TLS. */
export function addTlsMetrics(registry: Registry, tls: Tls): void {
  const expiry: Gauge = new Gauge({
    name: 'tls_certificate_expiry_timestamp_seconds',
    help: 'end of the TLS certificate in use, or of the first of its chain that ends (with TLS_CERT_FILE)',
    registers: [],
    collect: () => expiry.set(tls.expiresAt),
  });
  const failed: Counter = new Counter({
    name: 'tls_failed_handshakes_total',
    help: 'connections that ended before TLS was agreed, by reason: not_tls, timeout, busy, refused (with TLS_CERT_FILE)',
    labelNames: ['reason'],
    registers: [],
    collect: () => {
      failed.reset();
      for (const [reason, count] of tls.failures) failed.inc({ reason }, count);
    },
  });
  registry.registerMetric(expiry);
  registry.registerMetric(failed);
}
