import { sumOf } from './metrics-text.js';

/**
 * What changed between two scrapes, and the gauges at the second.
 * @typedef {object} Step
 * @property {number} at wall-clock time of the scrape, in ms
 * @property {number | null} seconds duration; null: the counters have no baseline to compare with
 * @property {boolean} breaks no curve may join this step to the one before
 * @property {boolean} restarted the server is another process than before
 * @property {Map<string, { labels: Record<string, string>, value: number | null }[]>} increments
 *   by metric, without zeros; null: this one series began anew
 * @property {Map<string, import('./metrics-text.js').Sample[]>} gauges
 */

/**
 * Steps of a time slot, drawn as one point.
 * @typedef {{ at: number, breaks: boolean, steps: Step[] }} Column
 */

/** The longest time that the page can show. */
const KEPT_MS = 3_600_000;
/** More time than this between two scrapes is a gap: the tab was hidden, or the machine slept. */
const GAP_MS = 10_000;
/** A process that was gone has answered again in this time: it and others answer in turn. */
const ALTERNATES_MS = 60_000;
/** More points than these are narrower than a line. */
const MOST_COLUMNS = 150;
const COUNTER = /_(?:total|bucket|sum|count)$/;
/** Metrics of entry scripts are not drawn. They may be many, so they are not kept. */
const KEPT = /^(?:scoring|server|worker|inference|mdc|telemetry|gpu|log)_|^process_(?:cpu_seconds|resident)|^nodejs_eventloop_lag_p99/;

/** The scrapes of the last hour. */
export class History {
  /** @type {Step[]} */
  steps = [];
  /** Processes that have answered, by their start times. */
  #processes = new Set();
  #process;
  /** Counters of the last scrape, by series. Undefined: the next one is a baseline. */
  #before;
  #beforeClock = 0;
  /** Upper bounds of the buckets of each histogram. */
  #bounds = new Map();
  #alternatedClock = -Infinity;
  /** More than one process answers in turn, so that no rate is known. */
  alternates = false;

  /**
   * Takes a scrape.
   * @param {import('./metrics-text.js').Samples} samples
   * @param {number} at wall-clock time in ms
   * @param {number} clock a time in ms that no change of the wall clock moves
   */
  add(samples, at, clock) {
    const process = sumOf(samples, 'process_start_time_seconds') ?? 0;
    const restarted = this.#process !== undefined && this.#process !== process;
    if (restarted && this.#processes.has(process)) this.#alternatedClock = clock;
    this.alternates = clock - this.#alternatedClock < ALTERNATES_MS;
    const elapsed = clock - this.#beforeClock;
    const known = this.#before !== undefined && !restarted && elapsed > 0 && elapsed <= GAP_MS;
    const { counters, increments, gauges } = this.#compare(samples, known);
    this.#push({ at, seconds: known ? elapsed / 1000 : null, breaks: !known, restarted, increments, gauges });
    this.#before = counters;
    this.#beforeClock = clock;
    this.#process = process;
    this.#processes.add(process);
  }

  /** Takes note that nothing is known now. The next scrape is a new baseline. */
  miss(at) {
    if (this.#before === undefined) return;
    this.#before = undefined;
    this.#push({ at, seconds: null, breaks: true, restarted: false, increments: new Map(), gauges: new Map() });
  }

  /** Steps after a time. */
  since(from) {
    const first = this.steps.findIndex(({ at }) => at >= from);
    return first < 0 ? [] : this.steps.slice(first);
  }

  /**
   * The steps after a time as points of a curve. Empty slots are no gaps, because scrapes are not
   * exactly a second apart.
   * @returns {Column[]}
   */
  columns(from, to) {
    const slot = (to - from) / MOST_COLUMNS;
    const columns = [];
    let last;
    for (const step of this.since(from)) {
      if (step.at > to) break;
      const id = Math.floor(step.at / slot);
      if (last?.id === id && !step.breaks) {
        last.column.steps.push(step);
        last.column.at = step.at;
        continue;
      }
      last = { id, column: { at: step.at, breaks: step.breaks, steps: [step] } };
      columns.push(last.column);
    }
    return columns;
  }

  /**
   * Quantiles of what a histogram observed in these steps, by linear interpolation in a bucket, as
   * Prometheus does it.
   * @returns {(number | null)[]}
   */
  quantiles(steps, metric, shares) {
    const counts = new Map();
    for (const { labels, value } of knownIncrements(steps, `${metric}_bucket`).entries)
      counts.set(boundOf(labels), (counts.get(boundOf(labels)) ?? 0) + value);
    const bounds = [...(this.#bounds.get(`${metric}_bucket`) ?? [])].toSorted((a, b) => a - b);
    return shares.map((share) => quantile(bounds, counts, share));
  }

  #compare(samples, known) {
    const [counters, increments, gauges] = [new Map(), new Map(), new Map()];
    for (const [metric, series] of samples) {
      if (!KEPT.test(metric)) continue;
      if (!COUNTER.test(metric)) {
        gauges.set(metric, series);
        continue;
      }
      if (metric.endsWith('_bucket')) this.#keepBounds(metric, series);
      const changes = known ? series.map((sample) => this.#change(sample)).filter(({ value }) => value !== 0) : [];
      if (changes.length > 0) increments.set(metric, changes);
      for (const { key, value } of series) counters.set(key, value);
    }
    return { counters, increments, gauges };
  }

  /** A series that is new began at 0. One that has fallen began anew, at an unknown time. */
  #change({ key, labels, value }) {
    const change = value - (this.#before.get(key) ?? 0);
    return { labels, value: change >= 0 ? change : null };
  }

  #keepBounds(metric, series) {
    const bounds = this.#bounds.get(metric) ?? new Set();
    this.#bounds.set(metric, bounds);
    for (const { labels } of series) bounds.add(boundOf(labels));
  }

  #push(step) {
    this.steps.push(step);
    while (this.steps[0].at < step.at - KEPT_MS) this.steps.shift();
  }
}

/** Increments of a counter, of those steps in which none of its kept series began anew. */
function knownIncrements(steps, metric, keep = () => true) {
  const entries = [];
  let seconds = 0;
  for (const step of steps) {
    if (step.seconds === null) continue;
    const kept = (step.increments.get(metric) ?? []).filter(({ labels }) => keep(labels));
    if (kept.some(({ value }) => value === null)) continue;
    seconds += step.seconds;
    entries.push(...kept);
  }
  return { entries, seconds };
}

/** How much a counter grew in these steps, and in how many seconds. Null: it is not known. */
export function increaseOf(steps, metric, keep) {
  const { entries, seconds } = knownIncrements(steps, metric, keep);
  return seconds === 0 ? null : { seconds, total: entries.reduce((sum, { value }) => sum + value, 0) };
}

/** Growth a second. */
export function rateOf(steps, metric, keep) {
  const increase = increaseOf(steps, metric, keep);
  return increase === null ? null : increase.total / increase.seconds;
}

/** Growth of one counter by that of another. Null: the second did not grow. */
export function ratioOf(steps, [metric, keep], [divisor, keepDivisor]) {
  const [of, by] = [increaseOf(steps, metric, keep), increaseOf(steps, divisor, keepDivisor)];
  return of === null || by === null || by.total === 0 ? null : of.total / by.total;
}

/** The highest value of a gauge in these steps, so that no peak is lost in a long time range. */
export function highestOf(steps, metric, keep) {
  const values = steps.map(({ gauges }) => sumOf(gauges, metric, keep)).filter((value) => value !== null);
  return values.length === 0 ? null : Math.max(...values);
}

function boundOf({ le }) {
  return le === '+Inf' ? Infinity : Number(le);
}

function quantile(bounds, counts, share) {
  const wanted = share * (counts.get(Infinity) ?? 0);
  if (!(wanted > 0)) return null;
  let [low, below] = [0, 0];
  for (const bound of bounds) {
    const count = counts.get(bound) ?? 0;
    // What is above the last bound is only known to be above it.
    if (count >= wanted) return bound === Infinity ? low : low + ((bound - low) * (wanted - below)) / (count - below);
    [low, below] = [bound, count];
  }
  return low;
}
