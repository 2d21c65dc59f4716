import { Socket } from 'node:net';
import { describeThrown, stackOfThrown, toServerError, type ServerError } from '../errors.ts';
import { FrameReader } from '../ipc/frame-reader.ts';
import { FrameWriter, MOST_FRAME_BYTES } from '../ipc/frames.ts';
import { readFromHost, type FromHost } from '../ipc/from-host.ts';
import type { StartMessage } from '../ipc/start-message.ts';
import { ToHost } from '../ipc/to-host.ts';
import { isLateChunk } from './chunk-source.ts';
import { closeScript } from './close-script.ts';
import { redactionMarkIn } from './collect/redaction-mark.ts';
import { Intake, markIn } from './intake.ts';
import { LogFrames } from './log-frames.ts';
import { MetricRecorder } from './metrics/metric-recorder.ts';
import { stackWithAdvice } from './refused-access.ts';
import { messageOf } from './run-entry-script.ts';
import type { LoadedScript } from './script/load-entry-script.ts';
import { ScriptLog } from './script/script-log.ts';
import { startScript, type StartedScript } from './start-script.ts';
import { endGroup, startWatchdog } from './watchdog.ts';

/** The socketpair to the host: ipc/README.md. */
const HOST_FD = 3;
/** The file of what has begun: ipc/README.md. */
const MARK_FD = 4;
/** Bytes that the kernel gives at a time. A shorter read means that the pipe is empty. */
const WHOLE_READ = 64 * 1024;
/** Process id of the host. Another process adopts this one when the host is gone. */
const HOST = process.ppid;

// A worker process: one entry script, and a pipe to the host. The host alone decides when the
// process ends: it closes its side of the pipe, and reads on until this side is closed.
const socket = new Socket({ fd: HOST_FD, readable: true, writable: true, allowHalfOpen: true });
const frames = new FrameWriter(socket, (flush) => process.nextTick(flush));
const toHost = new ToHost(frames);
const logFrames = new LogFrames(toHost);
const log = new ScriptLog((message) => logFrames.send(message));
const metrics = new MetricRecorder((message) => toHost.metrics(message));
const intake = new Intake((id, payload) => started?.runner.score(id, payload), markIn(MARK_FD));
let started: StartedScript | undefined;
let initialised: LoadedScript | undefined;
let closing: Promise<void> | undefined;
let wroteLate = false;
/** Where an error is that nobody caught, for the log. */
let guest = 'in the entry script';

const fromHost: FromHost = {
  // Both settle every outcome themselves.
  start: (message) => void start(message).catch(leaveBrokenPipe),
  redact: (id, head, bodies) => void started?.redaction.redact(id, head, bodies).catch(leaveBrokenPipe),
  startRefused: (refusal) => void startRefused(refusal),
  score: (id, payload) => intake.add(id, payload),
  cancel: (id) => started?.runner.cancel(id, intake.drop(id)),
  credit: (id, bytes) => started?.runner.credit(id, bytes),
};

// Its reports show no environment, which may hold secrets of the script.
process.report.excludeEnv = true;
ignoreSignals();
reportEscapedErrors();
reportBeforeExit();
readPipe();
startWatchdog(HOST, (thrown) => log.warn(`the thread that watches the server's process ended: ${describeThrown(thrown)}`));

/**
 * Why: Ctrl-C reaches the whole process group, and platforms signal every process. The host drains,
 * and ends its workers itself.
 */
function ignoreSignals(): void {
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => undefined);
}

function reportEscapedErrors(): void {
  process.on('unhandledRejection', (reason) => log.escaped(`unhandled rejection ${guest}: ${stackWithAdvice(reason)}`));
  process.on('uncaughtException', (error) => {
    if (isLateChunk(error)) return reportLateChunk(error);
    log.escaped(`uncaught exception ${guest}, the worker ends: ${stackWithAdvice(error)}`);
    metrics.report();
    frames.flush(() => process.exit(1));
  });
}

/** A client that leaves must not cost a worker. One line, because a timer repeats the mistake. */
function reportLateChunk(error: unknown): void {
  if (wroteLate) return;
  wroteLate = true;
  log.error(
    `a ReadableStream got a chunk after its end: stop in the cancel() of its source. Later ones are not logged: ${stackOfThrown(error)}`,
  );
}

function reportBeforeExit(): void {
  process.on('exit', () => {
    logFrames.reportDropped();
    metrics.report();
    frames.flush();
  });
}

function readPipe(): void {
  const reader = new FrameReader((id, kind, payload) => readFromHost(fromHost, id, kind, payload), MOST_FRAME_BYTES);
  socket.on('data', (chunk: Buffer) => {
    try {
      reader.feed(chunk);
      intake.read(chunk.length >= WHOLE_READ);
    } catch (thrown) {
      leaveBrokenPipe(thrown);
    }
  });
  socket.on('end', () => void closed().then(leave));
  socket.on('error', leave);
  socket.on('close', leave);
}

async function start(message: StartMessage): Promise<void> {
  if (message.noCode) guest = 'in the worker of a model without code';
  logFrames.verbose = message.logLevel === 'debug' || message.logLevel === 'trace';
  try {
    started = await startScript(message, {
      toHost,
      log,
      metrics,
      markRedaction: redactionMarkIn(MARK_FD),
      flushed,
      lost,
      initialised: (script) => (initialised = script),
    });
    // Metrics of init() arrive before the server is ready.
    metrics.report();
    toHost.ready(started.ready);
  } catch (thrown) {
    await startRefused(toServerError(thrown, 'init_failed'));
  }
}

/** Reports why this worker cannot serve, and ends it. */
async function startRefused(error: ServerError): Promise<void> {
  toHost.startFailed(messageOf(error));
  // First, because `close()` may never give the thread back.
  await flushed();
  await closed();
  process.exit(error.failure.exitCode ?? 1);
}

/**
 * Runs the script's `close()`, once, if its `init()` is done. Resolves when the host has all that
 * this process logged and counted, or at once where nobody is left to take it.
 */
function closed(): Promise<void> {
  return (closing ??= (async () => {
    if (process.ppid !== HOST) return;
    if (initialised !== undefined) await closeScript(initialised, log);
    logFrames.reportDropped();
    metrics.report();
    await flushed();
  })());
}

/** Resolves when the kernel has all frames, or the host is gone. */
function flushed(): Promise<void> {
  return new Promise((resolve) => frames.flush(resolve));
}

/**
 * The script is closed, or the host is gone: the script's exit handlers run, then every process
 * that it started ends, too.
 */
function leave(): void {
  process.once('exit', endGroup);
  process.exit(0);
}

/**
 * Ends this process after an error that only a new process can clear. The host replaces it, and
 * answers the requests it held.
 */
function lost(problem: string): void {
  log.error(`${problem}; the worker ends`);
  frames.flush(() => process.exit(1));
}

/**
 * The bytes of the pipe are not the protocol: other code in this process reads from it, or writes
 * to it.
 */
function leaveBrokenPipe(thrown: unknown): void {
  lost(`the pipe to the server (fd 3), which belongs to it alone, cannot be used any more: ${stackOfThrown(thrown)}`);
}
