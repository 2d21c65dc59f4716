import { increaseOf, rateOf } from './history.js';
import { sumOf, valuesOf } from './metrics-text.js';
import { UNITS, whole } from './units.js';

/** Metrics with a series for each worker. */
const OF_WORKERS = ['worker_info', 'worker_memory_bytes', 'worker_cpu_seconds_total', 'worker_starts_total'];
/** The time over which a worker's CPU is measured. */
const CPU_MS = 10_000;

/** Rows of the workers: number, state, memory, CPU, restarts. */
export function workerRows(samples, history, now) {
  const workers = new Set(OF_WORKERS.flatMap((metric) => valuesOf(samples, metric, 'worker')));
  const steps = history.since(now - CPU_MS);
  return [...workers]
    .toSorted((a, b) => a.localeCompare(b, 'en', { numeric: true }))
    .map((worker) => {
      const own = (labels) => labels.worker === worker;
      const starts = sumOf(samples, 'worker_starts_total', own);
      const cpu = sumOf(samples, 'worker_cpu_seconds_total', own) === null ? null : rateOf(steps, 'worker_cpu_seconds_total', own);
      return [
        worker,
        stateOf(samples, own),
        UNITS.bytes.show(sumOf(samples, 'worker_memory_bytes', own)),
        UNITS.share.show(cpu),
        whole(starts === null ? null : Math.max(0, starts - 1)),
      ];
    });
}

/** A server may keep the series of states that have passed, at 0. */
function stateOf(samples, own) {
  const current = (samples.get('worker_info') ?? []).find(({ labels, value }) => own(labels) && value === 1);
  return current?.labels.state ?? '–';
}

/** What ended workers: "3 replaced since the start: exit 2, memory 1". */
export function replacements(samples) {
  const causes = valuesOf(samples, 'worker_restarts_total', 'cause')
    .map((cause) => [cause, sumOf(samples, 'worker_restarts_total', (labels) => labels.cause === cause)])
    .filter(([, total]) => total > 0);
  const total = causes.reduce((sum, [, count]) => sum + count, 0);
  if (total === 0) return 'None was replaced since the start.';
  return `${whole(total)} replaced since the start: ${causes.map(([cause, count]) => `${cause} ${whole(count)}`).join(', ')}.`;
}

/** Rows of the models: name, provider, threads, batching and its reason, load time. */
export function modelRows(samples) {
  const rows = (samples.get('session_info') ?? []).map(({ labels }) => {
    const loaded = sumOf(samples, 'model_load_seconds', ({ model }) => model === labels.model);
    const reason = labels.batching_reason ? `: ${labels.batching_reason}` : '';
    return [labels.model, labels.provider, labels.intra_op_threads, `${labels.batching}${reason}`, UNITS.seconds.show(loaded)];
  });
  // Workers load alike; one that does not has a row of its own.
  return [...new Map(rows.map((row) => [row.join('\n'), row])).values()];
}

/** What a server can lose, and the metrics that count it. */
const LOSSES = [
  ['Log lines', 'log_lines_dropped_total'],
  ['Lines of worker output', 'worker_output_lost_total'],
  ['Collected records', 'mdc_dropped_total'],
  ['Bodies of collected records', 'mdc_bodies_omitted_total'],
  ['Bodies that redact() failed for', 'mdc_redactions_failed_total'],
  ['Refused records, removed', 'mdc_dead_letters_removed_total'],
  ['Deliveries to the sink', 'mdc_sink_errors_total'],
  ['Telemetry items', 'telemetry_dropped_total'],
  ['Connections, by stray errors', 'server_stray_errors_total'],
];

/** Rows of what was lost: what, its labels, since the start, in the time range. */
export function lossRows(samples, steps) {
  return LOSSES.filter(([, metric]) => samples.has(metric)).flatMap(([what, metric]) => {
    const lost = samples.get(metric).filter(({ value }) => value > 0);
    if (lost.length === 0) return [[what, '', '0', '0']];
    return lost.map(({ labels, value }) => {
      const own = (others) => Object.keys(labels).every((name) => others[name] === labels[name]);
      const recent = increaseOf(steps, metric, own);
      return [what, Object.values(labels).join(', '), whole(value), whole(recent?.total ?? null)];
    });
  });
}
