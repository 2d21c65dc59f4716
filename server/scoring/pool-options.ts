import { availableParallelism } from 'node:os';
import type { Config } from '../config.ts';
import { availableCpus, threadsPerWorker } from '../cpu-quota.ts';
import type { Found } from '../discovery.ts';
import type { PoolOptions } from './worker-pool.ts';

const NO_LIMIT_MS = 2 ** 31 - 1;

/** How many workers there are, and what each is told and given: by the options, and by the cores that this container may use. */
export function poolOptions(config: Config, found: Found, hostEnv: NodeJS.ProcessEnv): PoolOptions {
  const cpus = availableCpus(availableParallelism());
  const count = config.workerCount === 'auto' ? cpus : config.workerCount;
  const intraOpThreads = config.intraOpThreads === 0 ? threadsPerWorker(cpus, count) : config.intraOpThreads;
  const start = {
    ...found,
    noCode: found.kind === 'model without code',
    modelName: config.modelName,
    concurrency: config.workerConcurrency,
    initTimeoutMs: config.debugPort === 0 ? config.initTimeoutMs : NO_LIMIT_MS,
    intraOpThreads,
    maxBatchSize: config.maxBatchSize,
    maxBatchDelayMs: config.maxBatchDelayMs,
    nonFinite: config.nonFinite,
    logLevel: config.logLevel,
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
    initTimeoutMs: config.debugPort === 0 ? config.initTimeoutMs : 0,
    spec: (worker) => ({ start, env, cwd: config.appRoot, debugPort: worker === 0 ? config.debugPort : 0 }),
  };
}
