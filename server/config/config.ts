import { collectionOptions } from './collection-options.ts';
import { executionProvider, type Provider } from './execution-provider.ts';
import {
  bytes,
  deviceNumbers,
  flag,
  integer,
  list,
  logLevel,
  milliseconds,
  modelName,
  oneOf,
  option,
  orAuto,
  seconds,
  text,
  type LogLevel,
  type Option,
} from './option-values.ts';
import { telemetryOptions } from './telemetry-options.ts';

export type { Option };

const MiB = 1024 * 1024;

/** Every option, one row each. Names: reference/azureml-contract.md, section 2; defaults: house.md, section 10. */
export const options = {
  port: option({ env: ['PORT'], flag: 'port', default: 5001, parse: integer(0, 65535), doc: 'port of every route; 0: any free one' }),
  grpcPort: option({
    env: ['GRPC_PORT'],
    flag: 'grpc-port',
    default: 0,
    parse: integer(0, 65535),
    doc: 'port of the Open Inference Protocol over gRPC; 0: off',
  }),
  host: option({ env: ['SCORING_HOST'], flag: 'host', default: '0.0.0.0', parse: text, doc: 'address to listen on' }),
  entryScript: option({
    env: ['AZUREML_ENTRY_SCRIPT'],
    flag: 'entry-script',
    default: '',
    parse: text,
    doc: 'entry script, absolute or relative to `AML_APP_ROOT`; unset: `main.*`, then `score.*` there',
  }),
  modelDir: option({ env: ['AZUREML_MODEL_DIR'], flag: 'model-dir', default: '', parse: text, doc: 'directory of the model or models' }),
  model: option({ env: ['MODEL_FILE'], flag: 'model', default: '', parse: text, doc: 'an `.onnx` file, served without an entry script' }),
  modelName: option({
    env: ['MODEL_NAME'],
    flag: 'model-name',
    default: '',
    parse: modelName,
    doc: "name of the model in the Open Inference Protocol; unset: its file's name without `.onnx`, or the entry script's without extension",
  }),
  appRoot: option({
    env: ['AML_APP_ROOT'],
    flag: 'app-root',
    default: '',
    parse: text,
    doc: "the application's folder; unset: the current one",
  }),
  sourceDirectory: option({
    env: ['AZUREML_SOURCE_DIRECTORY'],
    default: '',
    parse: text,
    doc: 'folder below `AML_APP_ROOT` where the entry script and the modules that it imports by name are looked up',
  }),
  configFile: option({
    env: ['AZUREML_CONFIG_FILE'],
    flag: 'config-file',
    default: '',
    parse: text,
    doc: 'JSON file of options by their environment names; unset: `config.json` in `AML_APP_ROOT`, then beside the entry script',
  }),
  executionProvider: option<Provider | 'auto'>({
    env: ['EXECUTION_PROVIDER'],
    flag: 'execution-provider',
    default: 'cpu',
    parse: executionProvider,
    doc: 'what runs models: `cpu`; `cuda` or `tensorrt`, without which the server exits with 4; `auto`: CUDA if it can be used, else the CPU, and says so',
  }),
  cudaDeviceIds: option<readonly number[]>({
    env: ['CUDA_DEVICE_IDS'],
    flag: 'cuda-device-ids',
    default: [],
    parse: deviceNumbers,
    doc: 'GPUs to use, comma-separated numbers among those that are visible here, from 0; unset: all of them',
  }),
  workerCount: option<number | 'auto' | ''>({
    env: ['WORKER_COUNT'],
    flag: 'worker-count',
    default: '',
    parse: orAuto(integer(1, 1024)),
    doc: 'worker processes, each with a copy of the model; unset: 1, or one for each GPU; `auto`: one for each CPU of the quota, or for each GPU',
  }),
  workerMemoryBytes: option({
    env: ['WORKER_MEMORY_BYTES'],
    default: 0,
    parse: bytes,
    doc: "memory of one worker (not what it maps from files), beyond which it is replaced; 0: the largest is, when all together take more than the container's memory less an eighth",
  }),
  workerConcurrency: option({
    env: ['WORKER_CONCURRENCY'],
    flag: 'worker-concurrency',
    default: 32,
    parse: integer(1, 4096),
    doc: '`run()` calls at a time in one worker; they interleave at every await',
  }),
  queueMaxRequests: option({
    env: ['QUEUE_MAX_REQUESTS'],
    default: 256,
    parse: integer(0, 1e6),
    doc: 'requests that may wait for a worker; beyond it 429',
  }),
  queueMaxBytes: option({
    env: ['QUEUE_MAX_BYTES'],
    default: 256 * MiB,
    parse: bytes,
    doc: 'bytes of bodies held by the host for workers; beyond it 429',
  }),
  queueWaitTimeoutMs: option({
    env: ['QUEUE_WAIT_TIMEOUT_MS'],
    default: 0,
    parse: milliseconds,
    doc: 'longest wait for a worker, then 503; 0: as long as the deadline',
  }),
  scoringTimeoutMs: option({
    env: ['SCORING_TIMEOUT_MS'],
    default: 60_000,
    parse: integer(1, 2 ** 31 - 1),
    doc: 'deadline of a scoring request (to the first chunk of a stream), then 504',
  }),
  streamIdleTimeoutMs: option({
    env: ['STREAM_IDLE_TIMEOUT_MS'],
    default: 60_000,
    parse: integer(1, 2 ** 31 - 1),
    doc: 'longest gap in a streamed answer, on either side',
  }),
  cancelGraceMs: option({
    env: ['CANCEL_GRACE_MS'],
    default: 2000,
    parse: milliseconds,
    doc: 'how long a `run()` past its deadline may take to end once it is told to cancel; then its worker is replaced. Longer than your longest single inference',
  }),
  initTimeoutMs: option({
    env: ['INIT_TIMEOUT_MS', 'WORKER_TIMEOUT'],
    default: 300_000,
    parse: integer(1, 2 ** 31 - 1),
    aliasParse: seconds,
    doc: 'longest `init()`; the alias `WORKER_TIMEOUT` counts in seconds',
  }),
  replacementAttempts: option({
    env: ['REPLACEMENT_ATTEMPTS'],
    default: 20,
    parse: integer(1, 1_000_000),
    doc: 'replacements of a lost worker in a row that may fail to start before the server gives up: six minutes of them, and what `init()` takes; one that serves, or another worker, keeps the server',
  }),
  replacementBackOffMs: option({
    env: ['REPLACEMENT_BACKOFF_MS'],
    default: 30_000,
    parse: milliseconds,
    doc: 'longest wait between two replacements that fail; it begins with 100 ms and doubles each time',
  }),
  drainDelayMs: option({
    env: ['DRAIN_DELAY_MS'],
    default: 2000,
    parse: milliseconds,
    doc: 'how long SIGTERM keeps the port open while readiness says 503 (SIGINT, SIGHUP: 0)',
  }),
  drainTimeoutMs: option({
    env: ['DRAIN_TIMEOUT_MS'],
    default: 8000,
    parse: milliseconds,
    doc: 'longest drain in all; what is not answered then gets 503. Every exit ends within it, `MDC_FLUSH_TIMEOUT_MS` and 6 s',
  }),
  keepAliveTimeoutMs: option({
    env: ['KEEP_ALIVE_TIMEOUT_MS'],
    default: 75_000,
    parse: milliseconds,
    doc: "idle time of a kept connection; longer than the load balancer's",
  }),
  bodyLimitBytes: option({
    env: ['BODY_LIMIT_BYTES'],
    default: 100 * MiB,
    parse: bytes,
    doc: 'largest request body, inflated; beyond it 413',
  }),
  answerLimitBytes: option({
    env: ['ANSWER_LIMIT_BYTES'],
    default: 256 * MiB,
    parse: bytes,
    doc: 'largest answer, or chunk of a streamed one; beyond it 500, and the log says so',
  }),
  answersMaxBytes: option({
    env: ['ANSWERS_MAX_BYTES'],
    default: 256 * MiB,
    parse: bytes,
    doc: 'bytes of answers held by the host for clients that have not taken them; beyond it workers wait, and clients that take nothing for 4 s are cut off',
  }),
  nonFinite: option<'string' | 'null' | 'error'>({
    env: ['NON_FINITE_NUMBERS'],
    default: 'string',
    parse: oneOf('string', 'null', 'error'),
    doc: 'NaN and infinities in answers: `string` (`"NaN"`, `"Infinity"`, `"-Infinity"`), `null`, or `error` (500)',
  }),
  corsOrigins: option<readonly string[]>({
    env: ['AML_CORS_ORIGINS'],
    flag: 'access-control-allow-origins',
    default: [],
    parse: list,
    doc: 'origins that may call from a browser, comma-separated, or `*`; unset: no CORS headers',
  }),
  healthPort: option({
    env: ['HEALTH_PORT'],
    flag: 'health-port',
    default: 5000,
    parse: integer(0, 65535),
    doc: 'second port, where `SEPERATE_HEALTH_ENDPOINT` asks for one',
  }),
  separateHealthEndpoint: option({
    env: ['SEPERATE_HEALTH_ENDPOINT'],
    default: false,
    parse: flag,
    doc: "answer every route on `HEALTH_PORT` too (the spelling is the contract's)",
  }),
  logLevel: option<LogLevel>({
    env: ['AZUREML_LOG_LEVEL'],
    flag: 'log-level',
    default: 'info',
    parse: logLevel,
    doc: 'debug, info, warning, error or critical',
  }),
  logFormat: option<'auto' | 'json' | 'pretty'>({
    env: ['LOG_FORMAT'],
    flag: 'log-format',
    default: 'auto',
    parse: oneOf('auto', 'json', 'pretty'),
    doc: '`auto`: pretty on a terminal, else JSON lines',
  }),
  accessLog: option({ env: ['ACCESS_LOG'], default: true, parse: flag, doc: 'one line for each request (never for probes and metrics)' }),
  serverVersionHeader: option({
    env: ['SERVER_VERSION_LOG_RESPONSE_ENABLED'],
    default: true,
    parse: flag,
    doc: 'send `x-ms-server-version`',
  }),
  serverVersion: option({
    env: ['HTTP_X_MS_SERVER_VERSION'],
    default: '',
    parse: text,
    doc: 'value of `x-ms-server-version`; unset: name and version of this server',
  }),
  serviceName: option({
    env: ['SERVICE_NAME'],
    default: 'ML service',
    parse: text,
    doc: 'title in swagger.json, and `<endpoint>` in the layout of collected data',
  }),
  serviceVersion: option({ env: ['SERVICE_VERSION'], default: '1.0', parse: text, doc: 'version in swagger.json' }),
  servicePathPrefix: option({
    env: ['SERVICE_PATH_PREFIX'],
    default: '',
    parse: text,
    doc: 'path prefix in swagger.json; routes do not move',
  }),
  intraOpThreads: option({
    env: ['ORT_INTRA_OP_NUM_THREADS'],
    default: 0,
    parse: integer(0, 1024),
    doc: "ONNX Runtime threads of one worker; 0: the container's CPU quota divided by the workers",
  }),
  maxBatchSize: option<number | 'auto'>({
    env: ['MAX_BATCH_SIZE'],
    flag: 'max-batch-size',
    default: 'auto',
    parse: orAuto(integer(1, 65_536)),
    doc: 'rows of concurrent `model.run()` calls that are merged into one inference; `auto`: at most 128, where a check at load shows that rows do not influence each other; 1: never',
  }),
  maxBatchDelayMs: option({
    env: ['MAX_BATCH_DELAY_MS'],
    default: 0,
    parse: milliseconds,
    doc: 'longest wait of a `model.run()` for others to merge with; 0: merge only what is waiting already',
  }),
  debugPort: option({
    env: ['AZUREML_DEBUG_PORT'],
    default: 0,
    parse: integer(0, 65535),
    doc: "Node's inspector in the (first) worker, on 127.0.0.1; time limits are off then",
  }),
  ...telemetryOptions,
  ...collectionOptions,
} satisfies Record<string, Option<never> | Option<unknown>>;

type Options = typeof options;
type Value<O> = O extends Option<infer T> ? T : never;

/** The effective options. Paths are absolute or empty, but for `entryScript`, which is as given. */
export type Config = { readonly [K in keyof Options]: Value<Options[K]> };
