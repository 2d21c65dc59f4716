import type { InferenceObserver } from '../../inference/model.ts';
import { inferenceDuration, inferenceRows, type Release } from '../../ipc/metric-series.ts';
import type { WorkerRequest } from '../request-context.ts';
import type { Metric, MetricRecorder } from './metric-recorder.ts';

/** Measures inferences, and lists them for traced requests. */
export class InferenceMetrics implements InferenceObserver {
  readonly #duration: Metric;
  readonly #rows: Metric;

  readonly listener: InferenceObserver['listener'];

  /** @param traced the request whose inferences are listed by name, time and rows */
  constructor(metrics: MetricRecorder, traced?: () => WorkerRequest | undefined) {
    this.listener = traced && (() => listenerOf(traced()));
    this.#duration = metrics.known(inferenceDuration);
    this.#rows = metrics.known(inferenceRows);
  }

  inferred(model: string, ms: number, rows: number, release: Release): void {
    this.#duration.touch([model]).observe(ms / 1000);
    this.#rows.touch([model, release]).observe(rows);
  }
}

function listenerOf(request: WorkerRequest | undefined): ReturnType<NonNullable<InferenceObserver['listener']>> {
  const inferences = request?.inferences;
  return inferences && ((model, at, ms, rows) => void inferences.push({ model, at: performance.timeOrigin + at, ms, rows }));
}
