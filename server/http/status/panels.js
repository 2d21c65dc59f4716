import { highestOf, rateOf, ratioOf } from './history.js';
import { sumOf, valuesOf } from './metrics-text.js';
import { UNITS } from './units.js';

/**
 * Reads the value of a curve from steps. Null: it is not known.
 * @callback Read
 * @param {import('./history.js').Step[]} steps
 * @param {import('./history.js').History} history
 * @returns {number | null}
 */

/**
 * A curve of a panel.
 * @typedef {object} Curve
 * @property {string} label
 * @property {string} [style] class of its colour, where the colour has a meaning
 * @property {Read} read
 */

/**
 * One chart.
 * @typedef {object} Panel
 * @property {string} id
 * @property {string} group id of its section
 * @property {string} title
 * @property {import('./units.js').Unit} unit
 * @property {string[]} needs metrics; the panel is hidden if the server has none of them
 * @property {number} [least] the lowest top of the axis
 * @property {boolean} [logarithmic]
 * @property {boolean} [bands] fills between the curves
 * @property {(samples: import('./metrics-text.js').Samples) => Curve[]} curves
 * @property {Record<string, string>} [limits] metrics of limits, by what they limit
 */

/** More curves than these cannot be told apart. */
const MOST_CURVES = 6;

const always = () => true;
const answered = (test) => (labels) => test(Number(labels.code));
const isSuccess = answered((code) => code < 400);
/** Answers that are the server's fault. 429 is one: the client may have asked for nothing wrong. */
export const isFault = answered((code) => code >= 500 || code === 429);
const isClientFault = answered((code) => code >= 400 && code < 500 && code !== 429);
const labelled = (name, value) => (labels) => labels[name] === value;

const rate = (label, metric, keep, style) => ({ label, style, read: (steps) => rateOf(steps, metric, keep) });
const gauge = (label, metric, keep, style) => ({ label, style, read: (steps) => highestOf(steps, metric, keep) });
const percentile = (label, metric, share, style) => ({
  label,
  style,
  read: (steps, history) => history.quantiles(steps, metric, [share])[0],
});
const share = (label, keep, style) => ({
  label,
  style,
  read: (steps) => ratioOf(steps, ['scoring_requests_total', keep], ['scoring_requests_total', always]),
});

const percentiles = (metric) => [
  percentile('p50', metric, 0.5, 'p50'),
  percentile('p90', metric, 0.9, 'p90'),
  percentile('p99', metric, 0.99, 'p99'),
];

/** Curves of the label values that were counted at all. The least frequent ones share a curve. */
function countedCurves(samples, metric, label, prefix) {
  const total = (value) => sumOf(samples, metric, labelled(label, value)) ?? 0;
  const counted = valuesOf(samples, metric, label).filter((value) => total(value) > 0);
  const ranked = counted.toSorted((a, b) => total(b) - total(a));
  const own = ranked.length > MOST_CURVES / 2 ? ranked.slice(0, MOST_CURVES / 2 - 1) : ranked;
  const others = new Set(ranked.slice(own.length));
  const curves = own.map((value) => rate(`${prefix} ${value}`, metric, labelled(label, value)));
  if (others.size > 0) curves.push(rate(`${prefix} others`, metric, (labels) => others.has(labels[label])));
  return curves;
}

const labelCurves = (samples, metric, label, make) =>
  valuesOf(samples, metric, label).map((value) => make(value, metric, labelled(label, value)));

/** A curve for each worker, or one of all where they are many. */
function workerCurves(samples, metric, make) {
  const workers = valuesOf(samples, metric, 'worker');
  if (workers.length >= MOST_CURVES) return [make('all workers', metric)];
  return workers.map((worker) => make(`worker ${worker}`, metric, labelled('worker', worker)));
}

const traffic = [
  {
    id: 'requests',
    title: 'Requests',
    unit: UNITS.rate,
    needs: ['scoring_requests_total'],
    least: 1,
    curves: () => [
      rate('answered', 'scoring_requests_total', isSuccess, 'good'),
      rate('client errors', 'scoring_requests_total', isClientFault, 'warning'),
      rate('failed', 'scoring_requests_total', isFault, 'bad'),
    ],
  },
  {
    id: 'latency',
    title: 'Latency',
    unit: UNITS.seconds,
    needs: ['scoring_request_duration_seconds_count'],
    logarithmic: true,
    bands: true,
    curves: () => percentiles('scoring_request_duration_seconds'),
    limits: { 'deadline:': 'scoring_deadline_seconds' },
  },
  {
    id: 'errors',
    title: 'Error share',
    unit: UNITS.share,
    needs: ['scoring_requests_total'],
    least: 0.01,
    curves: () => [share('failed (5xx, 429)', isFault, 'bad'), share('client errors (other 4xx)', isClientFault, 'warning')],
  },
  {
    id: 'failures',
    title: 'Refusals and failures',
    unit: UNITS.rate,
    needs: ['scoring_refused_total', 'scoring_failures_total', 'scoring_requests_total'],
    least: 1,
    curves: (samples) => {
      const refused = countedCurves(samples, 'scoring_refused_total', 'reason', 'refused:');
      const curves = [...refused, ...countedCurves(samples, 'scoring_failures_total', 'code', 'failed:')];
      return curves.length > 0 ? curves : [rate('none since the start', 'scoring_failures_total')];
    },
  },
];

const capacity = [
  {
    id: 'load',
    title: 'Waiting and at workers',
    unit: UNITS.count,
    needs: ['scoring_requests_queued'],
    least: 4,
    curves: () => [gauge('waiting', 'scoring_requests_queued'), gauge('at workers', 'scoring_requests_in_flight')],
    limits: { 'most at workers:': 'scoring_concurrency_limit', 'most waiting:': 'scoring_queue_limit' },
  },
  {
    id: 'times',
    title: 'Where the time goes',
    unit: UNITS.seconds,
    needs: ['scoring_queue_duration_seconds_count'],
    logarithmic: true,
    curves: (samples) => [
      percentile('waiting, p90', 'scoring_queue_duration_seconds', 0.9),
      percentile('run(), p90', 'scoring_run_duration_seconds', 0.9),
      ...(samples.has('scoring_oldest_waiting_seconds') ? [gauge('oldest waiting', 'scoring_oldest_waiting_seconds')] : []),
    ],
    limits: { 'deadline:': 'scoring_deadline_seconds' },
  },
  {
    id: 'inferences',
    title: 'Inference',
    unit: UNITS.seconds,
    needs: ['inference_duration_seconds_count'],
    logarithmic: true,
    bands: true,
    curves: () => percentiles('inference_duration_seconds'),
  },
  {
    id: 'batch',
    title: 'Rows of an inference',
    unit: UNITS.rows,
    needs: ['inference_batch_rows_count'],
    least: 4,
    curves: () => [
      { label: 'mean', read: (steps) => ratioOf(steps, ['inference_batch_rows_sum', always], ['inference_batch_rows_count', always]) },
      percentile('p90', 'inference_batch_rows', 0.9),
    ],
  },
];

const processes = [
  {
    id: 'cpu',
    title: 'CPU',
    unit: UNITS.cores,
    needs: ['process_cpu_seconds_total'],
    least: 1,
    curves: (samples) => [rate('host', 'process_cpu_seconds_total'), ...workerCurves(samples, 'worker_cpu_seconds_total', rate)],
  },
  {
    id: 'memory',
    title: 'Memory',
    unit: UNITS.bytes,
    needs: ['process_resident_memory_bytes'],
    least: 2 ** 26,
    curves: (samples) => [gauge('host', 'process_resident_memory_bytes'), ...workerCurves(samples, 'worker_memory_bytes', gauge)],
  },
  {
    id: 'loop',
    title: "Delay of the host's event loop",
    unit: UNITS.seconds,
    needs: ['nodejs_eventloop_lag_p99_seconds'],
    least: 0.02,
    curves: () => [gauge('p99', 'nodejs_eventloop_lag_p99_seconds')],
  },
];

const gpu = [
  {
    id: 'gpu-memory',
    title: 'GPU memory',
    unit: UNITS.bytes,
    needs: ['gpu_memory_used_bytes'],
    least: 2 ** 30,
    curves: (samples) => labelCurves(samples, 'gpu_memory_used_bytes', 'gpu', (number, ...of) => gauge(`GPU ${number}`, ...of)),
    limits: { 'limit of a GPU:': 'gpu_memory_total_bytes' },
  },
  {
    id: 'gpu-use',
    title: 'GPU utilisation',
    unit: UNITS.share,
    needs: ['gpu_utilization_ratio'],
    least: 1,
    curves: (samples) => labelCurves(samples, 'gpu_utilization_ratio', 'gpu', (number, ...of) => gauge(`GPU ${number}`, ...of)),
  },
];

/** What happens to collected records, and the style of each curve. */
const RESULTS = { queued: 'line-0', sent: 'line-2', spilled: 'warning', sampled_out: 'line-3', dropped: 'bad' };

const collection = [
  {
    id: 'records',
    title: 'Collected records',
    unit: UNITS.rate,
    needs: ['mdc_records_total'],
    least: 1,
    curves: (samples) => {
      const results = new Set(valuesOf(samples, 'mdc_records_total', 'result'));
      const shown = Object.entries(RESULTS).filter(([result]) => results.has(result));
      return shown.map(([result, style]) => rate(result.replaceAll('_', ' '), 'mdc_records_total', labelled('result', result), style));
    },
  },
  {
    id: 'backlog',
    title: 'Records that wait',
    unit: UNITS.count,
    needs: ['mdc_queue_records'],
    least: 4,
    curves: (samples) => [
      gauge('in memory', 'mdc_queue_records'),
      ...(samples.has('mdc_spool_records') ? [gauge('in the spool', 'mdc_spool_records')] : []),
    ],
  },
  {
    id: 'backlog-size',
    title: 'Size of what waits',
    unit: UNITS.bytes,
    needs: ['mdc_queue_bytes'],
    least: 2 ** 20,
    curves: (samples) => [
      gauge('in memory', 'mdc_queue_bytes'),
      ...(samples.has('mdc_spool_bytes') ? [gauge('in the spool', 'mdc_spool_bytes')] : []),
    ],
  },
  {
    id: 'collection-losses',
    title: 'Records and bodies lost',
    unit: UNITS.rate,
    needs: ['mdc_records_total'],
    least: 1,
    curves: (samples) => {
      const dropped = countedCurves(samples, 'mdc_dropped_total', 'reason', 'dropped:');
      const curves = [...dropped, ...countedCurves(samples, 'mdc_bodies_omitted_total', 'reason', 'left out:')];
      return curves.length > 0 ? curves : [rate('none since the start', 'mdc_dropped_total')];
    },
  },
];

const telemetry = [
  {
    id: 'telemetry-items',
    title: 'Telemetry items',
    unit: UNITS.rate,
    needs: ['telemetry_delivered_total', 'telemetry_dropped_total'],
    least: 1,
    curves: (samples) => [
      ...labelCurves(samples, 'telemetry_delivered_total', 'item', (item, ...of) => rate(`${item}s delivered`, ...of)),
      ...countedCurves(samples, 'telemetry_dropped_total', 'reason', 'dropped:'),
    ],
  },
];

/** All charts, in the order of the page. @type {Panel[]} */
export const PANELS = Object.entries({ traffic, capacity, processes, gpu, collection, telemetry }).flatMap(([group, panels]) =>
  panels.map((panel) => ({ least: 0, logarithmic: false, bands: false, limits: {}, ...panel, group })),
);

/** The curves of a panel, with a colour for each. */
export function curvesOf(panel, samples) {
  return panel.curves(samples).slice(0, MOST_CURVES);
}

/** The limits of a panel that the server tells. */
export function limitsOf({ limits, unit }, samples) {
  return Object.entries(limits).flatMap(([what, metric]) => {
    // The limit of one worker or GPU is not a limit of their sum.
    const value = Math.max(0, ...(samples.get(metric) ?? []).map((sample) => sample.value));
    return value === 0 || value === Infinity ? [] : [{ label: `${what} ${unit.show(value)}`, value }];
  });
}
