import { Socket } from 'node:net';
import { parse } from '../guards/built-ins.ts';
import { asServerError, ServerError, stackOfThrown, toServerError } from '../errors.ts';
import { FrameReader } from '../ipc/frame-reader.ts';
import { FrameError, FrameWriter, MOST_FRAME_BYTES, readUint32 } from '../ipc/frames.ts';
import type { OpenedModel } from '../inference/model.ts';
import { installPort, WorkerPort } from './collect/collection-port.ts';
import { hintAtDoubleParsing, ScriptLog } from './script/console.ts';
import { WorkerInitContext } from './script/init-context.ts';
import { loadEntryScript } from './script/load-entry-script.ts';
import { Intake, markIn } from './intake.ts';
import { LogFrames } from './log-frames.ts';
import { jsonText, metricTexts } from './message-text.ts';
import { installModuleHooks } from './script/module-hooks.ts';
import { Kind, type ReadyMessage, type ServedModel, type StartMessage } from '../ipc/protocol.ts';
import { RedactionHook } from './collect/redact.ts';
import { messageOf, Runner } from './run-entry-script.ts';
import { warmUp } from './warm-up.ts';
import { InferenceMetrics, WorkerMetrics } from './metrics/worker-metrics.ts';
import { endGroup, startWatchdog } from './watchdog.ts';

/** Where the worker says how many runs have begun: ipc/protocol.ts. */
const MARK_FD = 4;
/** What the kernel gives at a time: when it is less, there was no more. */
const WHOLE_READ = 64 * 1024;

// A worker process: one entry script, spoken to over fd 3. The host alone decides when it ends.
const socket = new Socket({ fd: 3, readable: true, writable: true });
const frames = new FrameWriter(socket, (flush) => process.nextTick(flush));
const logFrames = new LogFrames(frames);
const log = new ScriptLog((message) => logFrames.send(message));
const metrics = new WorkerMetrics((message) => metricTexts(message).forEach((text) => frames.write(0, Kind.metrics, [text])));
let runner: Runner | undefined;
let redaction: RedactionHook | undefined;
const intake = new Intake((id, payload) => runner?.score(id, payload), markIn(MARK_FD));

const reader = new FrameReader((id, kind, payload) => {
  if (kind === Kind.score) intake.add(id, payload);
  else if (kind === Kind.cancel) runner?.cancel(id, intake.drop(id));
  else if (kind === Kind.credit && payload.length === 4) runner?.credit(id, readUint32(payload, 0));
  else if (kind === Kind.redact) void redaction?.redact(id, payload).catch(ended);
  // Settles every outcome itself.
  else if (kind === Kind.start) void start(parse(payload.toString()) as StartMessage).catch(ended);
  else throw new FrameError(`a frame of kind ${kind} and ${payload.length} bytes, which a host does not send`);
}, MOST_FRAME_BYTES);

// Ctrl-C reaches the whole process group, and platforms signal every process: the host drains, workers only obey it.
process.on('SIGTERM', () => undefined);
process.on('SIGINT', () => undefined);
process.on('SIGHUP', () => undefined);
process.on('exit', () => {
  logFrames.tellDropped();
  metrics.report();
  frames.flush();
});
process.on('unhandledRejection', (reason) => log.error(`unhandled rejection in the entry script: ${stackOfThrown(reason)}`));
process.on('uncaughtException', (error) => {
  log.error(`uncaught exception in the entry script, the worker ends: ${stackOfThrown(error)}`);
  metrics.report();
  frames.flush(() => process.exit(1));
});
socket.on('data', (chunk: Buffer) => {
  try {
    reader.feed(chunk);
    intake.read(chunk.length >= WHOLE_READ);
  } catch (thrown) {
    ended(thrown);
  }
});
socket.on('error', leave);
socket.on('close', leave);
startWatchdog(process.ppid);

/** The host has closed the pipe, or is gone: exit handlers of the script run, then what it started ends, too. */
function leave(): void {
  process.once('exit', endGroup);
  process.exit(0);
}

/** An error of a GPU stays in its process: the host replaces it, and answers what it held. */
function lost(problem: string): void {
  log.error(`${problem}; the worker ends`);
  frames.flush(() => process.exit(1));
}

/** What came over the pipe is not the protocol: somebody else in this process reads it, or writes to it. */
function ended(thrown: unknown): void {
  lost(`the pipe to the server (fd 3), which belongs to it alone, cannot be used any more: ${stackOfThrown(thrown)}`);
}

async function start(message: StartMessage): Promise<void> {
  logFrames.verbose = message.logLevel === 'debug' || message.logLevel === 'trace';
  globalThis.console = log.toConsole();
  JSON.parse = hintAtDoubleParsing(log);
  installModuleHooks(message.importPath);
  const signal = AbortSignal.timeout(message.initTimeoutMs);
  const context = new WorkerInitContext({ ...message, log, metrics, signal, lost });
  try {
    const port = openCollection(message);
    const script = await loadEntryScript(message.entryScript);
    await initialise(() => script.init(context), signal, message);
    await warmUp(script, context, (model) => settle(model, message));
    context.observe(new InferenceMetrics(metrics, message.tracing ? () => log.request : undefined));
    const concurrency = Math.min(script.concurrency ?? message.concurrency, message.concurrency);
    const models = context.opened.map(served);
    const inputs = message.noCode ? context.opened[0]?.inputs : undefined;
    redaction = new RedactionHook(script.redact, frames, (text) => log.warn(text));
    if (port !== undefined) port.open = true;
    runner = new Runner(script, frames, log, { ...message, inputs });
    const ready: ReadyMessage = {
      rawHttp: script.rawHttp,
      parsesJson: !script.rawHttp && (script.inputType ?? 'json') !== 'bytes' && script.inputType !== 'text',
      redacts: script.redact !== undefined,
      concurrency,
      models,
    };
    // Those of init() are there when the server says that it is ready.
    metrics.report();
    frames.write(0, Kind.ready, [jsonText(ready)]);
  } catch (thrown) {
    const error = toServerError(thrown, 'init_failed');
    frames.write(0, Kind.startFailed, [jsonText(messageOf(error))]);
    frames.flush(() => process.exit(error.failure.exitCode ?? 1));
  }
}

/** Decides whether concurrent calls of a model are merged, and tells how it is loaded. */
async function settle(model: OpenedModel, { maxBatchSize, maxBatchDelayMs }: StartMessage): Promise<void> {
  await model.settleBatching({ maxBatchSize, maxDelayMs: maxBatchDelayMs });
  const { provider, intraOpThreads, ortVersion, batching } = model.about;
  const { merges, reason } = batching;
  log.info(
    `model ${model.name}: runs on ${provider} with ${intraOpThreads} threads of ONNX Runtime ${ortVersion}; concurrent calls are ${merges ? '' : 'not '}merged: ${reason}`,
    { model: model.name, provider, intraOpThreads, ortVersion, batching: merges, reason },
  );
  frames.write(0, Kind.loaded, [jsonText(served(model))]);
}

function served({ name, inputs, outputs, about }: OpenedModel): ServedModel {
  return { name, inputs, outputs, ...about };
}

/** Connects the script's collectors, before it makes them. */
function openCollection({ collection }: StartMessage): WorkerPort | undefined {
  if (collection === undefined) return undefined;
  const port = new WorkerPort({ settings: collection, frames, requestId: () => log.request?.id, warn: (text) => log.warn(text) });
  installPort(port);
  return port;
}

async function initialise(
  init: () => void | Promise<void>,
  signal: AbortSignal,
  { entryScript, noCode, initTimeoutMs }: StartMessage,
): Promise<void> {
  try {
    await init();
  } catch (cause) {
    if (signal.aborted)
      throw new ServerError(
        'init_timeout',
        `User script at ${entryScript}: init() did not finish within ${initTimeoutMs} ms (INIT_TIMEOUT_MS).`,
        { cause },
      );
    // A model that cannot be served keeps its own reason.
    const own = asServerError(cause);
    if (own !== undefined && own.code !== 'run_failed')
      throw new ServerError(own.code, noCode ? own.message : `init() of ${entryScript} failed: ${own.message}`, { cause });
    throw new ServerError('init_failed', `User script at ${entryScript}: init() raised an exception: ${stackOfThrown(cause)}`, { cause });
  }
}
