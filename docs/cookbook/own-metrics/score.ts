/**
 * Metrics of the script stand beside the server's own on `/metrics`: what was scored, how large it
 * was, and a state of the worker.
 *
 * npm start -- --entry-script docs/cookbook/own-metrics/score.ts
 * sh docs/cookbook/own-metrics/try.sh
 */

import type { CounterMetric, GaugeMetric, HistogramMetric, InitContext } from 'scoring-server';

/** Values of a label come from a closed set: each one is a series of its own. */
const LANGUAGES = ['de', 'en', 'fr'];

let words: CounterMetric;
let lengths: HistogramMetric;
let longest: GaugeMetric;
let most = 0;

export function init({ metrics }: InitContext) {
  words = metrics.counter('words_total', 'words of all texts', { labels: ['language'] });
  lengths = metrics.histogram('text_length_characters', 'length of texts', { buckets: [10, 100, 1000] });
  longest = metrics.gauge('longest_text_characters', 'length of the longest text that this worker has seen');
}

export function run({ text, language }: { text: string; language: string }) {
  const found = text.split(/\s+/);
  most = Math.max(most, text.length);
  words.inc(found.length, { language: LANGUAGES.includes(language) ? language : 'other' });
  lengths.observe(text.length);
  longest.set(most);
  return { words: found.length };
}
