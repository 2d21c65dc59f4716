import type { CounterMetric, GaugeMetric, HistogramMetric, InitContext } from 'scoring-server';

let tokens: CounterMetric;
let cached: GaugeMetric;
let lengths: HistogramMetric;

export function init({ metrics }: InitContext): void {
  tokens = metrics.counter('tokens_total', 'tokens of all requests', { labels: ['kind'] });
  cached = metrics.gauge('cache_entries', 'entries in the cache');
  lengths = metrics.histogram('text_characters', 'length of texts', { buckets: [1, 10, 100] });
}

export function run(text: string): string {
  if (text === 'exit') process.exit(5);
  tokens.inc(text.length, { kind: 'in' });
  lengths.observe(text.length);
  cached.add(1);
  return text;
}
