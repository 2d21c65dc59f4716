import { Gauge, type Registry } from 'prom-client';
import type { ServedModel } from '../ipc/worker-messages.ts';

export type LoadedModel = Omit<ServedModel, 'inputs' | 'outputs'>;

/** The models of the current workers. */
export class ModelMetrics {
  /** By worker and by name of the model. */
  readonly #loaded = new Map<object, Map<string, LoadedModel>>();

  constructor(registry: Registry) {
    this.#add(registry, 'model_load_seconds', 'duration of the last load of a model', ['model'], ({ name, loadSeconds }) => [
      [name],
      loadSeconds,
    ]);
    this.#add(
      registry,
      'session_info',
      'always 1; the labels show how the running workers loaded a model',
      ['model', 'provider', 'intra_op_threads', 'ort_version', 'batching', 'batching_reason'],
      ({ name, provider, intraOpThreads, ortVersion, batching }) => [
        [name, provider, String(intraOpThreads), ortVersion, batching.merges ? 'on' : 'off', batching.reason],
        1,
      ],
    );
  }

  /** A worker has loaded a model. @param owner the worker, for `gone` */
  loaded(owner: object, model: LoadedModel): void {
    const models = this.#loaded.get(owner) ?? new Map<string, LoadedModel>();
    this.#loaded.set(owner, models.set(model.name, model));
  }

  /** A worker has exited. */
  gone(owner: object): void {
    this.#loaded.delete(owner);
  }

  #add(
    registry: Registry,
    name: string,
    help: string,
    labelNames: readonly string[],
    series: (model: LoadedModel) => [labels: string[], value: number],
  ): void {
    const loaded = this.#loaded;
    registry.registerMetric(
      new Gauge({
        name,
        help,
        labelNames,
        registers: [],
        // Not an arrow function: prom-client calls it with the gauge as `this`.
        collect(this: Gauge) {
          this.reset();
          for (const model of Array.from(loaded.values()).flatMap((models) => Array.from(models.values()))) {
            const [labels, value] = series(model);
            this.labels(...labels).set(value);
          }
        },
      }),
    );
  }
}
