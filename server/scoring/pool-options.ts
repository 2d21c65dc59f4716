import { availableParallelism } from 'node:os';
import type { Config } from '../config/config.ts';
import { availableCpus, threadsPerWorker } from '../system/cpu-quota.ts';
import type { Found } from '../config/discovery.ts';
import type { Execution } from '../config/execution-provider.ts';
import { workerHeapMb, workersMemoryBytes } from '../system/heap-limit.ts';
import type { Log } from '../log.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { CollectionStart } from '../ipc/start-message.ts';
import { chooseProvider, pinned, type ProviderChoice } from './provider-choice.ts';
import type { MemoryLimits } from './worker-memory.ts';
import type { WorkerSpec } from './worker-process.ts';

const NO_LIMIT_MS = 2 ** 31 - 1;

/** The workers to start. A worker that is replaced gets the spec of its number again. */
export interface PoolPlan {
  readonly count: number;
  readonly spec: (worker: number) => WorkerSpec;
}

export interface PoolOptions {
  /** Made once, at the start; `stop` fires when nobody waits for it any more. */
  readonly plan: (stop: AbortSignal) => Promise<PoolPlan>;
  readonly initTimeoutMs: number;
  /** Undefined: as much as there is. */
  readonly memory?: MemoryLimits;
  /** Replacements of one worker in a row that may fail to start. */
  readonly replacementAttempts: number;
  /** Longest wait between two of them. */
  readonly replacementBackOffMs: number;
  /** Milliseconds; tests bring their own clock. */
  readonly now?: () => number;
}

interface Surroundings {
  readonly env: NodeJS.ProcessEnv;
  readonly log: Log;
  readonly metrics: Metrics;
  /** Undefined: nothing is collected. */
  readonly collection?: CollectionStart | undefined;
  readonly choose?: typeof chooseProvider;
}

/**
 * How many workers there are, and what each is told and given: by the options, the devices, and the cores that this container may use.
 * The execution provider is decided once, when the plan is made: no replacement decides anew.
 */
export function poolOptions(config: Config, found: Found, around: Surroundings): PoolOptions {
  const { env: hostEnv, choose = chooseProvider } = around;
  const limit = config.debugPort === 0 ? config.initTimeoutMs : NO_LIMIT_MS;
  const constrained = process.constrainedMemory();
  const memory: MemoryLimits =
    config.workerMemoryBytes > 0
      ? { each: config.workerMemoryBytes, all: Number.POSITIVE_INFINITY }
      : { each: undefined, all: workersMemoryBytes(constrained) };
  const cpus = availableCpus(availableParallelism());
  return {
    initTimeoutMs: config.debugPort === 0 ? config.initTimeoutMs : 0,
    memory,
    replacementAttempts: config.replacementAttempts,
    replacementBackOffMs: config.replacementBackOffMs,
    plan: async (stop) => {
      const choice = await choose(config, { env: hostEnv, signal: AbortSignal.any([stop, AbortSignal.timeout(limit)]) });
      const { provider, devices } = choice;
      report(config, choice, around);
      const count = workerCount(config.workerCount, { cpus, devices: provider === 'cpu' ? 0 : Math.max(1, devices.length) });
      const intraOpThreads = config.intraOpThreads === 0 ? threadsPerWorker(cpus, count) : config.intraOpThreads;
      // Whoever sets a limit of their own means it.
      const heapMb = hostEnv['NODE_OPTIONS']?.includes('max-old-space-size') === true ? undefined : workerHeapMb(constrained, count);
      const memoryMb = Math.floor((memory.each ?? memory.all) / 2 ** 20);
      around.log.info(
        { cpus, workers: count, intraOpThreads, heapMb, memoryMb, concurrency: config.workerConcurrency },
        'sized for this container',
      );
      const execution: Execution = { provider, strict: config.executionProvider !== 'auto' };
      const start = {
        ...found,
        noCode: found.kind === 'model without code',
        modelName: config.modelName,
        concurrency: config.workerConcurrency,
        initTimeoutMs: limit,
        execution,
        intraOpThreads,
        maxBatchSize: config.maxBatchSize,
        maxBatchDelayMs: config.maxBatchDelayMs,
        nonFinite: config.nonFinite,
        answerLimitBytes: config.answerLimitBytes,
        logLevel: config.logLevel,
        tracing: config.otlpEndpoint !== '',
        collection: around.collection,
      };
      const env = {
        ...hostEnv,
        // Must be there before the library loads (reference/onnxruntime-node.md, section 3).
        ORT_DISABLE_TELEMETRY: '1',
        AML_APP_ROOT: config.appRoot,
        AZUREML_ENTRY_SCRIPT: found.entryScript,
        WORKER_COUNT: String(count),
        SERVER_PORT: String(config.port),
        ...(found.modelDir === undefined ? {} : { AZUREML_MODEL_DIR: found.modelDir }),
      };
      return {
        count,
        spec: (worker) => ({
          start,
          env: pinned(env, devices[worker % devices.length]),
          cwd: config.appRoot,
          debugPort: worker === 0 ? config.debugPort : 0,
          heapMb,
        }),
      };
    },
  };
}

/** Unset: one copy of the model, or one on each GPU: a second on the same GPU takes its memory twice and shares its time. */
function workerCount(asked: Config['workerCount'], { cpus, devices }: { cpus: number; devices: number }): number {
  if (typeof asked === 'number') return asked;
  if (devices > 0) return devices;
  return asked === 'auto' ? cpus : 1;
}

function report(config: Config, { provider, devices, problems }: ProviderChoice, { log, metrics }: Surroundings): void {
  const { executionProvider: asked, cudaDeviceIds } = config;
  metrics.provider.set({ asked, used: provider, devices: devices.join(',') }, 1);
  if (asked === 'cpu') {
    if (cudaDeviceIds.length > 0) log.warn('CUDA_DEVICE_IDS has no effect: EXECUTION_PROVIDER is cpu');
    return;
  }
  const where = devices.length === 0 ? '' : `, devices ${devices.join(', ')} of CUDA_VISIBLE_DEVICES`;
  const missing = problems.length === 0 ? '' : `. Missing:${problems.map((problem) => `\n  - ${problem}`).join('')}`;
  log[missing === '' ? 'info' : 'warn'](
    { asked, provider, devices, problems },
    `EXECUTION_PROVIDER=${asked}: models run on ${provider}${where}${missing}`,
  );
}
