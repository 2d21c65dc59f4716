import { AsyncLocalStorage } from 'node:async_hooks';
import { availableParallelism } from 'node:os';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Logger, MetricLabels, RequestContext } from '../../entry-script.ts';
import { Columns, type CollectedRow } from '../collect/columns.ts';
import { installPort, type CollectionPort } from '../collect/collection-port.ts';
import { WorkerInitContext } from './init-context.ts';
import { loadEntryScript, type LoadedScript } from './load-entry-script.ts';
import { installModuleHooks } from './module-hooks.ts';
import { NO_PARAMETERS } from '../../tensors/infer-request.ts';
import { type Observed, MetricsUnderTest } from '../metrics/metrics-under-test.ts';

interface ScriptSettings {
  /** In place of AZUREML_MODEL_DIR. */
  readonly modelDir?: string;
  /** In place of `--model`. */
  readonly modelFile?: string;
}

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

/**
 * Imports an entry script and awaits its `init()`, in this process and without HTTP.
 * @param script absolute path, or file URL: `new URL('score.ts', import.meta.url)`
 * @throws ServerError script_broken when it cannot be imported or lacks `init` or `run`; whatever
 * `init()` throws
 */
export async function loadScript(script: string | URL, settings: ScriptSettings = {}): Promise<ScriptUnderTest> {
  const entryScript = script instanceof URL || script.startsWith('file:') ? fileURLToPath(script) : script;
  // Read when ONNX Runtime loads, as in the workers of the server: no test of an author sends
  // telemetry.
  process.env['ORT_DISABLE_TELEMETRY'] ??= '1';
  installModuleHooks([dirname(entryScript)]);
  const collected: Collected[] = [];
  const requests = new AsyncLocalStorage<RequestContext>();
  installPort(testPort(collected, requests));
  const loaded = await loadEntryScript(entryScript);
  const metrics = new MetricsUnderTest();
  const context = new WorkerInitContext({
    metrics: metrics.own,
    entryScript,
    modelDir: settings.modelDir,
    modelFile: settings.modelFile,
    intraOpThreads: availableParallelism(),
    execution: { provider: 'cpu', strict: true },
    sharedSizes: 'check',
    lost: (problem) => consoleLog.error(problem),
    log: consoleLog,
    signal: new AbortController().signal,
  });
  await loaded.init(context.forScript);
  return {
    run: async (data, given = {}) => {
      const request = requestOf(given);
      return requests.run(request, () => runChecked(loaded, data, request));
    },
    metric: (name, labels) => metrics.value(name, labels),
    collected,
    close: async () => {
      try {
        await loaded.close?.();
      } finally {
        await Promise.all(context.opened.map((model) => model.release()));
      }
    },
  };
}

/** As the server does. @throws ServerError invalid_input */
function runChecked({ schemas, run }: LoadedScript, data: unknown, request: RequestContext): unknown {
  schemas?.checkInput?.(data);
  return run(data, request);
}

/** Keeps the collected rows, and throws errors that the server would only log. */
function testPort(collected: Collected[], requests: AsyncLocalStorage<RequestContext>): CollectionPort {
  const columns = new Map<string, Columns>();
  return {
    get requestId() {
      return requests.getStore()?.id;
    },
    identity: { workspace: 'default/default/default', endpoint: 'test', modelVersions: {} },
    keeps: () => true,
    columns: (collection) => {
      const known = columns.get(collection) ?? new Columns({ warn: (text) => consoleLog.warn(`${collection}: ${text}`) });
      columns.set(collection, known);
      return known;
    },
    send: (collection, { id }, rows) => void collected.push({ collection, id, rows }),
    failed: (_collection, error) => {
      throw error;
    },
  };
}

function requestOf(given: Partial<RequestContext>): RequestContext {
  return {
    protocol: 'score',
    outputs: undefined,
    parameters: NO_PARAMETERS,
    inferenceId: undefined,
    id: 'test',
    clientRequestId: undefined,
    traceId: '0'.repeat(31) + '1',
    traceparent: `00-${'0'.repeat(31)}1-${'0'.repeat(15)}1-00`,
    method: 'POST',
    url: '/score',
    query: new URLSearchParams(given.url?.split('?')[1]),
    headers: new Headers(),
    metadata: undefined,
    signal: new AbortController().signal,
    ...given,
  };
}

const consoleLog: Logger = {
  debug: (message, fields) => console.debug(message, ...(fields === undefined ? [] : [fields])),
  info: (message, fields) => console.info(message, ...(fields === undefined ? [] : [fields])),
  warn: (message, fields) => console.warn(message, ...(fields === undefined ? [] : [fields])),
  error: (message, fields) => console.error(message, ...(fields === undefined ? [] : [fields])),
};
