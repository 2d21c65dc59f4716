import type { ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Duplex, Readable } from 'node:stream';
import { describeThrown } from '../errors.ts';
import { FrameReader, FrameWriter } from '../frames.ts';
import type { MetricsMessage } from '../metric-series.ts';
import type { RunTimes } from '../run-times.ts';
import type { FailureMessage, LogMessage, NotCollected, ReadyMessage, ServedModel, StartMessage } from '../worker/protocol.ts';
import { headText, Kind, protocols } from '../worker/protocol.ts';
import { readHead, type ReplyHead } from './reply-head.ts';
import type { ScoreRequest } from './scorer-types.ts';
import { killGroup, spawnWorker } from './spawn-worker.ts';

/** What a worker process is started with. */
export interface WorkerSpec {
  readonly start: StartMessage;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** Port of Node's inspector, or 0. */
  readonly debugPort: number;
  /** Limit of V8's heap in megabytes; undefined: V8's own. */
  readonly heapMb?: number | undefined;
}

/** How a process ended. */
export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** Why there was no process at all. */
  readonly notStarted?: string;
}

/** What a worker says of the requests that it was given. */
export interface AnswerEvents {
  reply(id: number, head: ReplyHead, body: Buffer): void;
  failure(id: number, message: FailureMessage): void;
  stream(id: number, head: ReplyHead): void;
  chunk(id: number, bytes: Buffer): void;
  end(id: number): void;
  broken(id: number, message: FailureMessage): void;
  /** When a traced run was; its answer follows. */
  times(id: number, times: RunTimes): void;
  /** A cancel was read: the worker's thread is not stuck. */
  cancelled(id: number): void;
  /** Rows of a script's collector, as the frame has them. */
  collect(payload: Buffer): void;
  notCollected(all: readonly NotCollected[]): void;
  redacted(id: number, payload: Buffer): void;
}

/** What a worker says, in the order in which it says it. */
export interface WorkerEvents extends AnswerEvents {
  ready(message: ReadyMessage): void;
  startFailed(message: FailureMessage): void;
  loaded(model: ServedModel): void;
  log(message: LogMessage): void;
  metrics(message: MetricsMessage): void;
  /** A line that the process wrote to its own stdout or stderr, past the console. */
  output(stream: 'stdout' | 'stderr', line: string): void;
  exit(exit: Exit): void;
}

/** How long the last answers of a process that is gone may take to be read. */
const LAST_WORDS_MS = 200;
/** What an idle worker needs to end, with a script's own exit handlers. */
const LONGEST_END_MS = 500;

/** A child process and its pipe: frames in, frames out, no policy. */
export class WorkerProcess {
  readonly #child: ChildProcess;
  readonly #pipe: Duplex;
  readonly #frames: FrameWriter;
  readonly #events: WorkerEvents;
  /** Fixed part of `score` frames, which is copied at once. */
  readonly #scoreHead = Buffer.alloc(5);
  /** Resolves when the process has ended and everything it wrote has been read. */
  readonly gone: Promise<void>;
  /** When the worker last said anything; a thread inside an inference says nothing. */
  lastHeard = performance.now();

  constructor(spec: WorkerSpec, events: WorkerEvents) {
    this.#events = events;
    const { child, pipe } = spawnWorker(spec);
    this.#child = child;
    this.#pipe = pipe;
    this.#frames = new FrameWriter(pipe, setImmediate);
    const reader = new FrameReader((id, kind, payload) => this.#receive(id, kind, payload));
    pipe.on('data', (chunk: Buffer) => reader.feed(chunk));
    // The exit event tells what happened; what could not be written is answered then.
    pipe.on('error', () => undefined);
    this.#relay('stdout', this.#child.stdout);
    this.#relay('stderr', this.#child.stderr);
    this.gone = new Promise((resolve) => {
      const end = (exit: Exit): void => {
        events.exit(exit);
        resolve();
      };
      // After 'exit' what it wrote is read to the end, so that no answer is lost: but a child of its own may hold stdout for ever.
      child.once('exit', (code, signal) => {
        // What the script has started ends with it.
        if (child.pid !== undefined) killGroup(child.pid);
        this.#drainPipe(() => end({ code, signal }));
      });
      child.on('error', (error) => child.pid === undefined && end({ code: null, signal: null, notStarted: describeThrown(error) }));
    });
    this.#frames.write(0, Kind.start, [JSON.stringify(spec.start)]);
    // At once: the host is about to be busy with loading its own half.
    this.#frames.flush();
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** @param written called once the kernel has the whole body, or the worker is gone */
  score(id: number, request: ScoreRequest, written: () => void): void {
    const text = headText(request, request.rawHeaders);
    this.#scoreHead[0] = protocols.indexOf(request.protocol);
    this.#scoreHead.writeUInt32LE(Buffer.byteLength(text), 1);
    const parts = [this.#scoreHead, text, ...request.body];
    if (request.bodyBytes > 0) return this.#frames.write(id, Kind.score, parts, written);
    this.#frames.write(id, Kind.score, parts);
    return written();
  }

  cancel(id: number): void {
    this.#frames.write(id, Kind.cancel, []);
  }

  credit(id: number, bytes: number): void {
    this.#frames.write(id, Kind.credit, [Uint8Array.of(bytes, bytes >>> 8, bytes >>> 16, bytes >>> 24)]);
  }

  /** Asks for redacted bodies. @param parts of the frame */
  redact(id: number, parts: readonly (string | Uint8Array)[]): void {
    this.#frames.write(id, Kind.redact, parts);
  }

  /** Lets the process end by itself, which it does when its pipe closes, and ends it when it does not; `exit` follows. */
  end(): void {
    this.#pipe.end();
    setTimeout(() => this.kill(), LONGEST_END_MS).unref();
  }

  /** Ends the process at once; `exit` follows. */
  kill(): void {
    if (this.#child.pid !== undefined && this.#child.exitCode === null && this.#child.signalCode === null) killGroup(this.#child.pid);
  }

  #receive(id: number, kind: number, payload: Buffer): void {
    this.lastHeard = performance.now();
    const events = this.#events;
    switch (kind) {
      case Kind.reply: {
        const { head, end } = readHead(payload);
        return events.reply(id, head, payload.subarray(end));
      }
      case Kind.failure:
        return events.failure(id, parse<FailureMessage>(payload));
      case Kind.stream:
        return events.stream(id, readHead(payload).head);
      case Kind.chunk:
        return events.chunk(id, payload);
      case Kind.end:
        return events.end(id);
      case Kind.broken:
        return events.broken(id, parse<FailureMessage>(payload));
      case Kind.log:
        return events.log(parse<LogMessage>(payload));
      case Kind.times:
        return events.times(id, parse<RunTimes>(payload));
      case Kind.metrics:
        return events.metrics(parse<MetricsMessage>(payload));
      case Kind.ready:
        return events.ready(parse<ReadyMessage>(payload));
      case Kind.loaded:
        return events.loaded(parse<ServedModel>(payload));
      case Kind.startFailed:
        return events.startFailed(parse<FailureMessage>(payload));
      case Kind.cancelled:
        return events.cancelled(id);
      case Kind.collect:
        return events.collect(payload);
      case Kind.notCollected:
        return events.notCollected(parse<NotCollected[]>(payload));
      case Kind.redacted:
        return events.redacted(id, payload);
      default:
        return undefined;
    }
  }

  /** Calls back once everything that is in the pipe has been read, soon in any case. */
  #drainPipe(done: () => void): void {
    const finish = (): void => {
      clearTimeout(timer);
      this.#pipe.off('close', finish);
      this.#child.stdout?.destroy();
      this.#child.stderr?.destroy();
      this.#pipe.destroy();
      done();
    };
    const timer = setTimeout(finish, LAST_WORDS_MS);
    if (this.#pipe.closed) finish();
    else this.#pipe.once('close', finish);
  }

  #relay(name: 'stdout' | 'stderr', stream: Readable | null): void {
    if (stream !== null) createInterface({ input: stream }).on('line', (line) => this.#events.output(name, line));
  }
}

function parse<T>(payload: Buffer): T {
  return JSON.parse(payload.toString()) as T;
}
