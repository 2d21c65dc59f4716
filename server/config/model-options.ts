import { executionProvider, type Provider } from './execution-provider.ts';
import { bytes, deviceNumbers, integer, milliseconds, oneOf, option, orAuto, seconds, text, type OptionRows } from './option-values.ts';

/** Options of models and of the workers that run them. */
export const modelOptions = {
  executionProvider: option<Provider | 'auto'>({
    env: ['EXECUTION_PROVIDER'],
    flag: 'execution-provider',
    default: 'cpu',
    parse: executionProvider,
    doc: 'Runs models on `cpu`, `cuda`, `tensorrt`, or `auto`: CUDA if it works, else the CPU. Exit code 4: unusable.',
  }),
  cudaDeviceIds: option<readonly number[]>({
    env: ['CUDA_DEVICE_IDS'],
    flag: 'cuda-device-ids',
    default: [],
    parse: deviceNumbers,
    doc: 'GPUs to use: numbers from 0 among the visible ones, comma-separated. Unset: all of them.',
  }),
  workerCount: option<number | 'auto' | ''>({
    env: ['WORKER_COUNT'],
    flag: 'worker-count',
    default: '',
    parse: orAuto(integer(1, 1024)),
    doc: 'Worker processes, a model copy each. Unset: 1, or 1 per GPU. `auto`: 1 per CPU or GPU. Raise it for busy scripts.',
  }),
  workerConcurrency: option<number | 'auto'>({
    env: ['WORKER_CONCURRENCY'],
    flag: 'worker-concurrency',
    default: 'auto',
    parse: orAuto(integer(1, 4096)),
    doc: '`run()` calls at a time in one worker. `auto`: 32; 1 for a Python script whose `run()` is not async.',
  }),
  pythonPath: option({
    env: ['AZUREML_INFERENCE_PYTHON_PATH'],
    flag: 'python-path',
    default: '',
    parse: text,
    doc: 'Python 3.10+ that runs a `.py` script. Unset: an environment beside the script, then `python3`.',
  }),
  workerMemoryBytes: option({
    env: ['WORKER_MEMORY_BYTES'],
    default: 0,
    parse: bytes,
    doc: "Memory at which a worker is replaced. 0: the largest one is, when all together exceed the container's share.",
  }),
  intraOpThreads: option({
    env: ['ORT_INTRA_OP_NUM_THREADS'],
    default: 0,
    parse: integer(0, 1024),
    doc: "ONNX Runtime threads of one worker. 0: the container's CPU quota divided by the workers.",
  }),
  maxBatchSize: option<number | 'auto'>({
    env: ['MAX_BATCH_SIZE'],
    flag: 'max-batch-size',
    default: 'auto',
    parse: orAuto(integer(1, 65_536)),
    doc: 'Rows merged into one inference. `auto`: up to 128, if that is proven. A number needs less proof. 1: never.',
  }),
  maxBatchDelayMs: option({
    env: ['MAX_BATCH_DELAY_MS'],
    default: 0,
    parse: milliseconds,
    doc: 'Time that a `model.run()` waits for others to merge with. 0 adds no latency; raise it for larger batches.',
  }),
  warmUp: option<'on' | 'off'>({
    env: ['WARM_UP'],
    default: 'on',
    parse: oneOf('on', 'off'),
    doc: 'Runs models before the first request, on the `sample` or made-up inputs. `off`: a slower first request, no merging.',
  }),
  sharedSizes: option<'check' | 'ignore'>({
    env: ['SHARED_SIZES'],
    default: 'check',
    parse: oneOf('check', 'ignore'),
    doc: 'Inputs must agree in sizes of one symbolic name, else 400. `ignore`: for exporters that name different sizes alike.',
  }),
  initTimeoutMs: option({
    env: ['INIT_TIMEOUT_MS', 'WORKER_TIMEOUT'],
    default: 300_000,
    parse: integer(1, 2 ** 31 - 1),
    aliasParse: seconds,
    doc: 'Time limit of `init()`. Raise it for large models. The alias `WORKER_TIMEOUT` counts in seconds.',
  }),
  replacementAttempts: option({
    env: ['REPLACEMENT_ATTEMPTS'],
    default: 20,
    parse: integer(1, 1_000_000),
    doc: 'Failed replacements in a row before the server exits, if no worker serves. The default lasts six minutes or more.',
  }),
  replacementBackOffMs: option({
    env: ['REPLACEMENT_BACKOFF_MS'],
    default: 30_000,
    parse: milliseconds,
    doc: 'Longest wait between two failed replacements. The wait starts at 100 ms and doubles.',
  }),
  debugPort: option({
    env: ['AZUREML_DEBUG_PORT'],
    default: 0,
    parse: integer(0, 65535),
    doc: "Port of Node's inspector in the first worker, or of a debugger for scripts in Python. It switches time limits off.",
  }),
} satisfies OptionRows;
