import type { ChildProcess } from 'node:child_process';
import type { Duplex } from 'node:stream';
import { describeThrown, stackOfThrown } from '../errors.ts';
import { FrameReader } from '../ipc/frame-reader.ts';
import { FrameError, FrameWriter } from '../ipc/frames.ts';
import { readFromWorker, type FromWorker } from '../ipc/from-worker.ts';
import { MOST_COLLECTED_BYTES, MOST_HEAD_BYTES } from '../ipc/limits.ts';
import type { RedactHead } from '../ipc/redaction.ts';
import type { StartMessage } from '../ipc/start-message.ts';
import { ToWorker } from '../ipc/to-worker.ts';
import type { AnswerMemory } from './answer-memory.ts';
import type { ScoreRequest } from './scorer-types.ts';
import { killGroup, spawnWorker } from './spawn-worker.ts';
import { StartMark } from './start-mark.ts';
import type { Exit, WorkerEvents } from './worker-events.ts';
import { WorkerOutput } from './worker-output.ts';

export type { AnswerEvents, Exit, WorkerEvents } from './worker-events.ts';

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

/** How long the last answers of a process that is gone may take to be read. */
const LAST_WORDS_MS = 200;
/** What an idle worker needs to end, with a script's own exit handlers. */
const LONGEST_END_MS = 500;

/** A child process and its pipe: frames in, frames out, no policy. */
export class WorkerProcess {
  readonly #child: ChildProcess;
  readonly #pipe: Duplex;
  readonly #to: ToWorker;
  readonly #events: WorkerEvents;
  readonly #mark = new StartMark();
  readonly #answers: AnswerMemory;
  readonly #output: WorkerOutput;
  /** Resolves when the process has ended and everything it wrote has been read. */
  readonly gone: Promise<void>;
  /** When the worker last said anything; a thread inside an inference says nothing. */
  lastHeard = performance.now();

  constructor(spec: WorkerSpec, events: WorkerEvents, answers: AnswerMemory) {
    this.#events = events;
    this.#answers = answers;
    const { child, pipe } = spawnWorker(spec, this.#mark.fd);
    this.#child = child;
    this.#pipe = pipe;
    const frames = new FrameWriter(pipe, setImmediate);
    this.#to = new ToWorker(frames);
    const mostBytes = Math.max(spec.start.answerLimitBytes, 2 * MOST_COLLECTED_BYTES) + MOST_HEAD_BYTES;
    this.#output = new WorkerOutput(events);
    const from: FromWorker = {
      ...events,
      // Lines of the console share the pipe with answers, and wait apart from them.
      log: (message, bytes) => this.#output.say(message, bytes),
      ready: (message) => {
        answers.attach(pipe);
        events.ready(message);
      },
    };
    const reader = new FrameReader((id, kind, payload) => {
      this.lastHeard = performance.now();
      readFromWorker(from, id, kind, payload);
    }, mostBytes);
    pipe.on('data', (chunk: Buffer) => this.#read(reader, chunk));
    // The exit event tells what happened; what could not be written is answered then.
    pipe.on('error', () => undefined);
    this.#output.relay('stdout', this.#child.stdout);
    this.#output.relay('stderr', this.#child.stderr);
    this.gone = new Promise((resolve) => {
      const end = (exit: Exit): void => {
        events.exit(exit);
        this.#mark.close();
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
    this.#to.start(spec.start);
    // At once: the host is about to be busy with loading its own half.
    frames.flush();
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** Of the requests that it was given, in that order, those beyond this number have not begun; infinity: any may have. */
  get begun(): number {
    return this.#mark.read();
  }

  /** @param written called once the kernel has the whole body, or the worker is gone */
  score(id: number, request: ScoreRequest, written: () => void): void {
    if (request.bodyBytes > 0) return this.#to.score(id, request, request.rawHeaders, request.body, written);
    this.#to.score(id, request, request.rawHeaders, request.body);
    return written();
  }

  cancel(id: number): void {
    this.#to.cancel(id);
  }

  credit(id: number, bytes: number): void {
    this.#to.credit(id, bytes);
  }

  /** Asks for redacted bodies. */
  redact(id: number, head: RedactHead, bodies: readonly Uint8Array[]): void {
    this.#to.redact(id, head, bodies);
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

  /** What is wrong with a frame, or with what was made of it, costs this worker and nobody else. */
  #read(reader: FrameReader, chunk: Buffer): void {
    try {
      reader.feed(chunk);
    } catch (thrown) {
      this.#pipe.destroy();
      this.#events.broke(thrown instanceof FrameError ? thrown.message : stackOfThrown(thrown));
    }
  }

  /** Calls back once everything that the process wrote has been read, soon in any case. */
  #drainPipe(done: () => void): void {
    this.#answers.detach(this.#pipe);
    let finished = false;
    const finish = (): void => {
      if (finished) return;
      finished = true;
      clearTimeout(timer);
      this.#output.close();
      this.#pipe.destroy();
      done();
    };
    const timer = setTimeout(finish, LAST_WORDS_MS);
    const closed = new Promise<void>((resolve) => (this.#pipe.closed ? resolve() : this.#pipe.once('close', resolve)));
    void closed.then(() => this.#output.ended()).then(finish);
  }
}
