import { availableParallelism } from 'node:os';
import type { Config } from '../config/config.ts';
import type { Found } from '../config/discovery.ts';
import { loggingFile } from '../config/logging-file.ts';
import { languageOf } from '../config/script-language.ts';
import type { CollectionStart, StartMessage } from '../ipc/start-message.ts';
import type { Log } from '../log.ts';
import { availableCpus, threadsPerWorker } from '../system/cpu-quota.ts';
import { workerHeapMb, workersMemoryBytes } from '../system/heap-limit.ts';
import type { User } from '../system/users.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { insightsConnection } from '../telemetry/telemetry.ts';
import type { AnswerMemory } from './answer-memory.ts';
import { limitsOf } from './limits.ts';
import { chooseProvider, type ProviderChoice } from './provider-choice.ts';
import { hardwareOf } from './provider-hardware.ts';
import { permissionFlags } from './permission-flags.ts';
import type { MemoryLimits } from './worker-memory.ts';
import { nodeCommand } from './node-command.ts';
import { openPython, pythonCommand, pythonEnv } from './python-command.ts';
import type { Interpreter } from './python-interpreter.ts';
import type { WorkerLink, WorkerSpec } from './worker-process.ts';
import { workersCache } from './workers-cache.ts';

/** V8's cache of compiled code. Node reads it. */
const COMPILE_CACHE = 'NODE_COMPILE_CACHE';
/** `run()` calls at a time: 32 waiting frames make a full batch. */
const DEFAULT_CONCURRENCY = 32;
/** Longest time of a timer, in milliseconds. */
const NO_LIMIT_MS = 2 ** 31 - 1;

/** The workers to start. A worker that is replaced gets the spec of its number again. */
export interface PoolPlan {
  readonly count: number;
  readonly spec: (worker: number) => WorkerSpec;
}

export interface PoolOptions {
  /** Made once, at the start; `stop` fires when the plan is not needed any more. */
  readonly plan: (stop: AbortSignal) => Promise<PoolPlan>;
  /** Milliseconds; 0: no limit. */
  readonly initTimeoutMs: number;
  /** Undefined: no limit. */
  readonly memory?: MemoryLimits;
  /** Replacements of one worker in a row that may fail to start. */
  readonly replacementAttempts: number;
  /** Longest wait between two of them; milliseconds. */
  readonly replacementBackOffMs: number;
  /** Limit of a script's `close()` outside of a drain; milliseconds. */
  readonly closeMs?: number;
  /** Time limit of a model on made-up inputs, on the CPU; milliseconds. Tests bring their own. */
  readonly trialMs?: number;
  /** Milliseconds; tests bring their own clock. */
  readonly now?: () => number;
  /** Starts a process; tests bring their own. */
  readonly open?: (spec: WorkerSpec, answers: AnswerMemory) => WorkerLink;
}

interface PoolSurroundings {
  /** Of workers, without secrets. */
  readonly env: NodeJS.ProcessEnv;
  /** Undefined: the user of this process. */
  readonly user?: User | undefined;
  readonly log: Log;
  readonly metrics: Metrics;
  /** Undefined: nothing is collected. */
  readonly collection?: CollectionStart | undefined;
  readonly choose?: typeof chooseProvider;
}

/** Shares of the container's CPUs and memory. */
interface Sizes {
  readonly count: number;
  readonly intraOpThreads: number;
  readonly heapMb: number | undefined;
}

/**
 * The workers by the options, the devices, and the cores that this container may use. The plan
 * decides the execution provider once: no replacement decides anew.
 */
export function poolOptions(config: Config, found: Found, around: PoolSurroundings): PoolOptions {
  const { choose = chooseProvider, user } = around;
  const { initTimeoutMs } = limitsOf(config);
  const startMs = initTimeoutMs === 0 ? NO_LIMIT_MS : initTimeoutMs;
  const memory = memoryLimits(config);
  return {
    initTimeoutMs,
    memory,
    replacementAttempts: config.replacementAttempts,
    replacementBackOffMs: config.replacementBackOffMs,
    closeMs: config.drainTimeoutMs,
    plan: async (stop) => {
      const signal = AbortSignal.any([stop, AbortSignal.timeout(startMs)]);
      const hostEnv = withHome(around.env, user);
      const python = isPython(found) ? await openPython(config, found, { env: hostEnv, log: around.log, signal, user }) : undefined;
      const counted = python !== undefined;
      const choice = await choose(config, { env: hostEnv, signal, user, counted });
      reportChoice(config, choice, { ...around, counted });
      const sizes = sizesOf(config, choice, { memory, python }, around);
      const start = startMessage(config, found, {
        initTimeoutMs: startMs,
        execution: { provider: choice.provider, strict: config.executionProvider !== 'auto' },
        intraOpThreads: sizes.intraOpThreads,
        collection: around.collection,
        loggingConfig: python && loggingFile(config, found),
      });
      const { env, command } = programOf(config, found, { hostEnv, sizes, python, user });
      const hardware = hardwareOf(choice.provider);
      const spec: PoolPlan['spec'] = (worker) => ({
        start,
        env: hardware?.pinned(env, choice.devices[worker % choice.devices.length]) ?? env,
        cwd: config.appRoot,
        command: command(worker),
        user,
      });
      return { count: sizes.count, spec };
    },
  };
}

interface ProgramSurroundings {
  readonly hostEnv: NodeJS.ProcessEnv;
  readonly sizes: Sizes;
  readonly python: Interpreter | undefined;
  readonly user: User | undefined;
}

interface Program {
  readonly env: WorkerSpec['env'];
  readonly command: (worker: number) => WorkerSpec['command'];
}

/** What workers run, and their variables, by the language of the script. */
function programOf(config: Config, found: Found, { hostEnv, sizes, python, user }: ProgramSurroundings): Program {
  const { count, heapMb, intraOpThreads } = sizes;
  const cache = workersCache(hostEnv[COMPILE_CACHE], { user, model: config.workerPermissionModel === 'on' });
  const env = workerEnv(config, found, { hostEnv, count, cache });
  if (python !== undefined) {
    const { debugPort } = config;
    return { env: pythonEnv(env, python, { threads: intraOpThreads, debugPort }), command: () => pythonCommand(python) };
  }
  const flags = permissionFlags(config, found, cache);
  return { env, command: (worker) => nodeCommand({ debugPort: worker === 0 ? config.debugPort : 0, heapMb, flags }) };
}

function memoryLimits({ workerMemoryBytes }: Config): MemoryLimits {
  return workerMemoryBytes > 0
    ? { each: workerMemoryBytes, all: Number.POSITIVE_INFINITY }
    : { each: undefined, all: workersMemoryBytes(process.constrainedMemory()) };
}

function isPython({ entryScript }: Found): boolean {
  return languageOf(entryScript) === 'python';
}

interface Sized {
  readonly memory: MemoryLimits;
  /** Undefined: workers run Node, which has a heap of its own. */
  readonly python: Interpreter | undefined;
}

function sizesOf(config: Config, { provider, devices }: ProviderChoice, { memory, python }: Sized, { env, log }: PoolSurroundings): Sizes {
  const cpus = availableCpus(availableParallelism());
  const count = workerCount(config.workerCount, cpus, hardwareOf(provider) === undefined ? 0 : Math.max(1, devices.length));
  const intraOpThreads = config.intraOpThreads === 0 ? threadsPerWorker(cpus, count) : config.intraOpThreads;
  // A limit of the operator's own comes first.
  const ownHeap = env['NODE_OPTIONS']?.includes('max-old-space-size') === true;
  const heapMb = ownHeap || python !== undefined ? undefined : workerHeapMb(process.constrainedMemory(), count);
  const memoryMb = Math.floor((memory.each ?? memory.all) / 2 ** 20);
  const { workerConcurrency: concurrency } = config;
  log.info({ cpus, workers: count, intraOpThreads, heapMb, memoryMb, concurrency }, 'sized for this container');
  return { count, intraOpThreads, heapMb };
}

/**
 * Unset: one copy of the model, or one on each GPU. A second on the same GPU takes its memory twice
 * and shares its time.
 */
function workerCount(asked: Config['workerCount'], cpus: number, devices: number): number {
  if (typeof asked === 'number') return asked;
  if (devices > 0) return devices;
  return asked === 'auto' ? cpus : 1;
}

type Decided = Pick<StartMessage, 'initTimeoutMs' | 'execution' | 'intraOpThreads' | 'collection' | 'loggingConfig'>;

function startMessage(config: Config, found: Found, decided: Decided): StartMessage {
  return {
    ...found,
    ...decided,
    noCode: found.kind === 'model without code',
    modelName: config.modelName,
    concurrency: config.workerConcurrency === 'auto' ? DEFAULT_CONCURRENCY : config.workerConcurrency,
    concurrencyIsDefault: config.workerConcurrency === 'auto',
    maxBatchSize: config.maxBatchSize,
    maxBatchDelayMs: config.maxBatchDelayMs,
    warmUp: config.warmUp,
    nonFinite: config.nonFinite,
    jsonNan: config.jsonNan,
    sharedSizes: config.sharedSizes,
    answerLimitBytes: config.answerLimitBytes,
    logLevel: config.logLevel,
    tracing: config.otlpEndpoint !== '',
    deepCheck: config.deepCheck,
  };
}

interface WorkerSurroundings {
  readonly hostEnv: NodeJS.ProcessEnv;
  readonly count: number;
  readonly cache: string | undefined;
}

/**
 * The variables that a script sees: those of Azure's Python server have its names. The host's are
 * without secrets (config/secret-variables.ts).
 */
function workerEnv(config: Config, found: Found, { hostEnv, count, cache }: WorkerSurroundings): WorkerSpec['env'] {
  return {
    ...hostEnv,
    ...(cache === undefined ? {} : { [COMPILE_CACHE]: cache }),
    // Before the library loads: ONNX Runtime sends telemetry by default (docs/telemetry.md).
    ORT_DISABLE_TELEMETRY: '1',
    AML_APP_ROOT: config.appRoot,
    AZUREML_ENTRY_SCRIPT: found.entryScript,
    WORKER_COUNT: String(count),
    SERVER_PORT: String(config.port),
    HEALTH_PORT: String(config.separateHealthEndpoint || config.tlsCertFile !== '' ? config.healthPort : config.port),
    HTTP_X_MS_SERVER_VERSION: config.serverVersion,
    AML_APP_INSIGHTS_ENABLED: String(insightsConnection(config) !== undefined),
    ...(found.modelDir === undefined ? {} : { AZUREML_MODEL_DIR: found.modelDir }),
  };
}

/** Another user has a home of its own. */
function withHome(env: NodeJS.ProcessEnv, user: User | undefined): NodeJS.ProcessEnv {
  return user === undefined ? env : { ...env, HOME: user.home };
}

interface ReportSurroundings extends PoolSurroundings {
  /** Devices were counted, and nothing was tried. */
  readonly counted: boolean;
}

function reportChoice(
  config: Config,
  { provider, devices, problems }: ProviderChoice,
  { log, metrics, counted }: ReportSurroundings,
): void {
  const { executionProvider: asked, cudaDeviceIds } = config;
  metrics.provider.set({ asked, used: provider, devices: devices.join(',') }, 1);
  if (asked === 'cpu') {
    if (cudaDeviceIds.length > 0) log.warn('CUDA_DEVICE_IDS has no effect: EXECUTION_PROVIDER is cpu');
    return;
  }
  const where = devices.length === 0 ? '' : `, devices ${devices.join(', ')} of CUDA_VISIBLE_DEVICES`;
  const missing = problems.length === 0 ? '' : `. Missing:${problems.map((problem) => `\n  - ${problem}`).join('')}`;
  const what = counted ? `the script in Python chooses where its models run, and was given ${provider}` : `models run on ${provider}`;
  log[missing === '' ? 'info' : 'warn']({ asked, provider, devices, problems }, `EXECUTION_PROVIDER=${asked}: ${what}${where}${missing}`);
}
