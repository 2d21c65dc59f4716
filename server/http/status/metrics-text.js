/**
 * One series of a scrape.
 * @typedef {{ metric: string, key: string, labels: Record<string, string>, value: number }} Sample
 * @typedef {Map<string, Sample[]>} Samples by name of the metric
 */

/** Name, labels, value, and a timestamp that is not used. Braces may stand inside of quotes. */
const LINE = /^([a-zA-Z_:][\w:]*)(?:\{((?:[^"}]|"(?:[^"\\]|\\.)*")*)\})?[ \t]+(\S+)(?:[ \t]+-?\d+)?[ \t]*$/gm;
const LABEL = /(\w+)="((?:[^"\\]|\\.)*)"/g;

/**
 * Reads the Prometheus text format. Leaves out what is not a number (NaN).
 * @param {string} text
 * @returns {Samples}
 */
export function parseMetrics(text) {
  const samples = new Map();
  for (const [, metric, labels = '', written] of text.matchAll(LINE)) {
    const value = parseNumber(written);
    if (Number.isNaN(value)) continue;
    const series = samples.get(metric) ?? [];
    samples.set(metric, series);
    series.push({ metric, key: `${metric}{${labels}}`, labels: parseLabels(labels), value });
  }
  return samples;
}

function parseLabels(text) {
  return Object.fromEntries([...text.matchAll(LABEL)].map(([, name, value]) => [name, value.replaceAll(/\\(.)/g, unescape)]));
}

function unescape(_, character) {
  return character === 'n' ? '\n' : character;
}

function parseNumber(text) {
  if (text === '+Inf') return Infinity;
  return text === '-Inf' ? -Infinity : Number(text);
}

/**
 * The sum of a metric's samples. Null: the page has none, so that the feature is off.
 * @param {Samples} samples
 * @param {string} metric
 * @param {(labels: Record<string, string>) => boolean} keep
 */
export function sumOf(samples, metric, keep = () => true) {
  const kept = (samples.get(metric) ?? []).filter(({ labels }) => keep(labels));
  return kept.length === 0 ? null : kept.reduce((total, { value }) => total + value, 0);
}

/**
 * The values of a label, in alphabetical order; numbers by size.
 * @param {Samples} samples
 */
export function valuesOf(samples, metric, label) {
  const values = new Set((samples.get(metric) ?? []).map(({ labels }) => labels[label] ?? ''));
  return [...values].toSorted((a, b) => a.localeCompare(b, 'en', { numeric: true }));
}
