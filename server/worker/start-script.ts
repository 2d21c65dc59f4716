import { asServerError, type ErrorCode, ServerError, stackOfThrown } from '../errors.ts';
import type { Tensors } from '../inference/batcher.ts';
import type { OpenedModel } from '../inference/model.ts';
import type { StartMessage } from '../ipc/start-message.ts';
import type { ToHost } from '../ipc/to-host.ts';
import type { ReadyMessage, ServedModel } from '../ipc/worker-messages.ts';
import { dtypes } from '../tensors/dtypes.ts';
import { typeOfDtype } from './collect/collect-rows.ts';
import { ClosedPort, installPort, WorkerPort } from './collect/collection-port.ts';
import { columnName } from './collect/columns.ts';
import { RedactionHook } from './collect/redaction-hook.ts';
import type { MarkRedaction } from './collect/redaction-mark.ts';
import { exampleOfModel, exampleOfScript, zerosOfModel } from './example.ts';
import { InferenceMetrics } from './metrics/inference-metrics.ts';
import type { MetricRecorder } from './metrics/metric-recorder.ts';
import { Runner } from './run-entry-script.ts';
import { withImportAdvice } from './script/import-advice.ts';
import { WorkerInitContext } from './script/init-context.ts';
import { loadEntryScript, type LoadedScript } from './script/load-entry-script.ts';
import { installModuleHooks } from './script/module-hooks.ts';
import { documented } from './schemas/documented.ts';
import { hintAtDoubleParsing, type ScriptLog } from './script/script-log.ts';
import { stackWithAdvice } from './refused-access.ts';
import { reportedTrying, type Trying, untriedBecause } from './trying.ts';
import { shownSample } from './shown-sample.ts';
import { warmUp } from './warm-up.ts';

interface ScriptSurroundings {
  readonly toHost: ToHost;
  readonly log: ScriptLog;
  readonly metrics: MetricRecorder;
  readonly markRedaction: MarkRedaction;
  /** Resolves when the kernel has all frames. */
  readonly flushed: () => Promise<void>;
  /** Called when this process can run no inference any more. */
  readonly lost: (problem: string) => void;
  /** Called when `init()` is done: an end in order calls `close()` from then on. */
  readonly initialised: (script: LoadedScript) => void;
}

/** An entry script that can serve. */
export interface StartedScript {
  readonly runner: Runner;
  readonly redaction: RedactionHook;
  readonly ready: ReadyMessage;
}

/**
 * Loads the entry script, awaits its `init()`, and warms it up.
 * @throws ServerError that says why the script cannot serve
 */
export async function startScript(message: StartMessage, around: ScriptSurroundings): Promise<StartedScript> {
  const { toHost, log, metrics, lost, flushed } = around;
  preparePlatform(message, log);
  const signal = AbortSignal.timeout(message.initTimeoutMs);
  const trying = reportedTrying(toHost, flushed);
  const context = new WorkerInitContext({
    ...message,
    log: log.forScript,
    metrics: metrics.forScript,
    signal,
    lost,
    trying: message.warmUp === 'on' ? trying : undefined,
  });
  const port = openCollection(message, context, around);
  const script = await loadEntryScript(message.entryScript);
  if (script.hasDriverModule) log.warn('the export driver_module has no effect: export run() itself');
  const warn = (text: string): void => log.warn(text);
  script.schemas?.warnings.forEach(warn);
  await initialise(() => script.init(context.forScript), signal, message);
  around.initialised(script);
  const shown = shownSample(script);
  const { taken, answer } = await warmUp(script, context, message, trying);
  await settleModels(context, message, trying, around);
  context.observe(new InferenceMetrics(metrics, message.tracing ? () => log.request : undefined));
  if (port !== undefined) port.open = true;
  const inputs = message.noCode ? context.opened[0]?.inputs : undefined;
  const sample = message.deepCheck === true ? sampleOf(script, taken) : undefined;
  const examples = message.noCode ? await examplesOf(context.opened[0], taken, trying) : { example: exampleOfScript(script) };
  return {
    runner: new Runner(script, toHost, log, { ...message, inputs, sample }),
    redaction: new RedactionHook(script.redact, { toHost, warn, mark: around.markRedaction }),
    ready: {
      ...readyMessage(script, context, message),
      ...examples,
      schemas: documented(script.schemas, { sample: shown, answer }, warn),
      checks: sample !== undefined,
    },
  };
}

/** The body that a model without code has taken, or sizes of zeros that it takes. */
async function examplesOf(
  model: OpenedModel | undefined,
  taken: Tensors | undefined,
  trying: Trying,
): Promise<Pick<ReadyMessage, 'example' | 'zeros'>> {
  const example = exampleOfModel(taken);
  if (example !== undefined || model === undefined || taken === undefined) return { example };
  return { zeros: await trying(model.name, () => zerosOfModel((zeros) => model.run(zeros), taken)) };
}

/** Decides for each model whether its calls are merged. */
function settleModels(context: WorkerInitContext, message: StartMessage, trying: Trying, around: ScriptSurroundings): Promise<void> {
  return context.settle({
    opened: async (model) => {
      const untried = untriedBecause(message.warmUp);
      const decide = (): Promise<void> => settle(model, message, untried, around);
      return untried === undefined ? trying(model.name, decide) : decide();
    },
    late: (model) => settle(model, message, 'no trial of rows, because the model opened after the start', around),
  });
}

/**
 * Data for the deep check: the script's sample, or the inputs that a model without code took.
 * Undefined: there is none.
 */
function sampleOf({ sample }: LoadedScript, taken: Tensors | undefined): unknown {
  return sample ?? (taken && { inputs: taken });
}

/**
 * Prepares the process for the script: its console, the modules it can import, a hint in
 * `JSON.parse`.
 */
function preparePlatform({ importPath }: StartMessage, log: ScriptLog): void {
  globalThis.console = log.toConsole();
  JSON.parse = hintAtDoubleParsing(log);
  installModuleHooks(importPath);
}

/** Connects the script's collectors. Must run before the script makes them. */
function openCollection(
  { collection }: StartMessage,
  context: WorkerInitContext,
  { toHost, log }: ScriptSurroundings,
): WorkerPort | undefined {
  const requestId = (): string | undefined => log.request?.id;
  const ofSample = (): boolean => log.request?.ofSample === true;
  if (collection === undefined) {
    installPort(new ClosedPort(requestId));
    return undefined;
  }
  const isFloat = (name: string): boolean => context.opened.some((model) => hasFloat(model, name));
  const port = new WorkerPort({ settings: collection, toHost, requestId, ofSample, warn: (text) => log.warn(text), isFloat });
  installPort(port);
  return port;
}

/** True if a tensor of this name, as a column would write it, has a fraction. */
function hasFloat({ inputs, outputs }: OpenedModel, name: string): boolean {
  return [...inputs, ...outputs].some((spec) => columnName(spec.name) === name && typeOfDtype(dtypes[spec.type]) === 'float');
}

async function initialise(
  init: () => void | Promise<void>,
  signal: AbortSignal,
  { entryScript, noCode, initTimeoutMs }: StartMessage,
): Promise<void> {
  const script = `User script at ${entryScript}`;
  try {
    await init();
  } catch (cause) {
    if (noCode) throw modelFailure(cause, signal.aborted, initTimeoutMs);
    if (signal.aborted)
      throw initFailure('init_timeout', `${script}: init() did not finish within ${initTimeoutMs} ms (INIT_TIMEOUT_MS).`, cause);
    // A model that cannot be served keeps its own reason. A failure without an exit code belongs to
    // a request: `model.run()` with wrong inputs, say.
    const own = asServerError(cause);
    if (own?.failure.exitCode === undefined)
      throw initFailure(
        'init_failed',
        `${script}: init() raised an exception: ${withImportAdvice(stackWithAdvice(cause), entryScript)}`,
        cause,
      );
    throw initFailure(own.code, `${script}: init() raised an exception: ${own.message}`, cause);
  }
}

/** A model without code has no script whose `init()` could be at fault. */
function modelFailure(cause: unknown, late: boolean, initTimeoutMs: number): ServerError {
  if (late) return new ServerError('init_timeout', `The model was not loaded within ${initTimeoutMs} ms (INIT_TIMEOUT_MS).`, { cause });
  const own = asServerError(cause);
  if (own?.failure.exitCode !== undefined) return own;
  return new ServerError('init_failed', `The model could not be loaded: ${stackOfThrown(cause)}`, { cause });
}

/** Azure's tools look for the first words (docs/http-api.md). */
function initFailure(code: ErrorCode, why: string, cause: unknown): ServerError {
  return new ServerError(code, `User's init function failed: ${why}`, { cause });
}

/** Decides whether concurrent calls of a model are merged, and reports how it is loaded. */
async function settle(
  model: OpenedModel,
  { maxBatchSize, maxBatchDelayMs }: StartMessage,
  untried: string | undefined,
  { toHost, log }: ScriptSurroundings,
): Promise<void> {
  await model.settleBatching({ maxBatchSize, maxDelayMs: maxBatchDelayMs, untried });
  const { provider, intraOpThreads, ortVersion, batching } = model.about;
  const { merges, reason, node } = batching;
  const where = node === undefined ? '' : ` (node ${node})`;
  log.info(
    `model ${model.name}: runs on ${provider} with ${intraOpThreads} threads of ONNX Runtime ${ortVersion}; concurrent calls are ${merges ? '' : 'not '}merged: ${reason}${where}`,
    { model: model.name, provider, intraOpThreads, ortVersion, batching: merges, reason, node },
  );
  toHost.loaded(served(model));
}

function readyMessage(script: LoadedScript, { opened }: WorkerInitContext, { concurrency }: StartMessage): ReadyMessage {
  return {
    rawHttp: script.rawHttp,
    parsesJson: !script.rawHttp && (script.inputType ?? 'json') !== 'bytes' && script.inputType !== 'text',
    redacts: script.redact !== undefined,
    closes: script.close !== undefined,
    concurrency: Math.min(script.concurrency ?? concurrency, concurrency),
    models: opened.map(served),
  };
}

function served({ name, inputs, outputs, about }: OpenedModel): ServedModel {
  return { name, inputs, outputs, ...about };
}
