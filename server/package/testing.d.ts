// Made from the code: UPDATE_DOCS=1 npm test writes it.
/// <reference types="node" />
import type { CollectedRow, MetricLabels, RequestContext } from './index.js';

/** Rows that a script handed to a collector. */
export interface Collected {
  readonly collection: string;
  /** Id of the request, or of the context that the script gave. */
  readonly id: string;
  readonly rows: readonly CollectedRow[];
}

/** An entry script in the process of its own test. */
export interface ScriptUnderTest {
  /**
   * Calls the script's `run()` with data as it would arrive. Resolves and rejects as `run()` does;
   * rejects with a ServerError where the data does not fit the `schema` of the script.
   */
  run(this: void, data: unknown, request?: Partial<RequestContext>): Promise<unknown>;
  /**
   * Value of a metric: the number of a counter or gauge, count and sum of a histogram; undefined if
   * it has none yet.
   * @throws Error when the script has no such metric
   */
  metric(this: void, name: string, labels?: MetricLabels): number | Observed | undefined;
  /** The rows that the script collected, in order. Every collection is kept, for every request. */
  readonly collected: readonly Collected[];
  /** Awaits the script's `close()`, and frees the models that `init()` opened. */
  close(this: void): Promise<void>;
}

/** Observations of a histogram. */
interface Observed {
  readonly count: number;
  readonly sum: number;
}

/**
 * Imports an entry script and awaits its `init()`, in this process and without HTTP.
 * @param script absolute path, or file URL: `new URL('score.ts', import.meta.url)`
 * @throws ServerError script_broken when it cannot be imported or lacks `init` or `run`; whatever
 * `init()` throws
 */
export declare function loadScript(script: string | URL, settings?: ScriptSettings): Promise<ScriptUnderTest>;

interface ScriptSettings {
  /** In place of AZUREML_MODEL_DIR. */
  readonly modelDir?: string;
  /** In place of `--model`. */
  readonly modelFile?: string;
}

export {};
