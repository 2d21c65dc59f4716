import type { ChildProcess } from 'node:child_process';
import type { Duplex } from 'node:stream';
import { describeThrown, stackOfThrown } from '../errors.ts';
import { FrameReader } from '../ipc/frame-reader.ts';
import { FrameError, FrameWriter } from '../ipc/frames.ts';
import { readFromWorker, type FromWorker } from '../ipc/from-worker.ts';
import { WorkerKind } from '../ipc/kinds.ts';
import { MOST_COLLECTED_BYTES, MOST_HEAD_BYTES } from '../ipc/limits.ts';
import type { RedactHead } from '../ipc/redaction.ts';
import type { StartMessage } from '../ipc/start-message.ts';
import { ToWorker } from '../ipc/to-worker.ts';
import { messages } from '../ipc/worker-messages.ts';
import type { User } from '../system/users.ts';
import type { AnswerMemory } from './answer-memory.ts';
import type { ScoreRequest } from './scorer-types.ts';
import { killGroup, spawnWorker } from './spawn-worker.ts';
import { StartMark, type RedactionMark } from './start-mark.ts';
import { WorkerOutput, type OutputListener } from './worker-output.ts';

/** Settings of a new worker process. */
export interface WorkerSpec {
  readonly start: StartMessage;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** Program and arguments: node-command.ts, python-command.ts. */
  readonly command: readonly [file: string, ...args: string[]];
  /** Undefined: the user of this process. */
  readonly user?: User | undefined;
}

/** How a process ended. */
export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** Why there was no process at all. */
  readonly notStarted?: string;
}

/**
 * Receives the frames and the output of a worker process, in their order. A method throws a
 * FrameError when the worker may not send its frame now.
 */
export interface ProcessListener extends OutputListener, Omit<FromWorker, 'log'> {
  /**
   * The pipe brought something that is not the protocol. It is not read any more, and the process
   * has to be ended.
   */
  broke(why: string): void;
  /** The process has exited, and its output has been read. */
  exit(exit: Exit): void;
}

/** A worker process as its worker uses it; tests bring their own. */
export type WorkerLink = Pick<
  WorkerProcess,
  'pid' | 'begun' | 'redactions' | 'lastReadAt' | 'gone' | 'listen' | 'score' | 'cancel' | 'credit' | 'redact' | 'end' | 'kill'
>;

/** Time for the last output of a process that has exited to be read. */
const LAST_OUTPUT_MS = 200;
/**
 * An idle worker ends within this time, with the exit handlers of a script, but without its
 * `close()`.
 */
const LONGEST_END_MS = 500;

/** A child process and its pipe: frames in, frames out, no policy. */
export class WorkerProcess {
  readonly #child: ChildProcess;
  readonly #pipe: Duplex;
  readonly #to: ToWorker;
  readonly #mark = new StartMark();
  readonly #answers: AnswerMemory;
  readonly #mostBytes: number;
  readonly #user: User | undefined;
  readonly #program: string;
  readonly #gone = Promise.withResolvers<void>();
  /** When the pipe last brought a frame. A thread inside an inference sends none. */
  lastReadAt = performance.now();

  /** Starts the process. `listen` has to follow in the same turn of the event loop. */
  constructor(spec: WorkerSpec, answers: AnswerMemory) {
    this.#answers = answers;
    const { child, pipe } = spawnWorker(spec, this.#mark.fd);
    this.#user = spec.user;
    this.#program = spec.command[0];
    this.#child = child;
    this.#pipe = pipe;
    this.#mostBytes = Math.max(spec.start.answerLimitBytes, 2 * MOST_COLLECTED_BYTES) + MOST_HEAD_BYTES;
    const frames = new FrameWriter(pipe, setImmediate);
    this.#to = new ToWorker(frames);
    // The exit event reports what happened; requests that could not be written are answered then.
    pipe.on('error', () => undefined);
    this.#to.start(spec.start);
    // At once: the host is about to be busy with loading its own half.
    frames.flush();
  }

  listen(listener: ProcessListener): void {
    const output = new WorkerOutput(listener);
    output.relay('stdout', this.#child.stdout);
    output.relay('stderr', this.#child.stderr);
    this.#readFrames(listener, output);
    const child = this.#child;
    // A child of the worker may hold its stdout for ever, so that 'close' may never come.
    child.once('exit', (code, signal) => {
      // Processes that the script has started end with it.
      if (child.pid !== undefined) killGroup(child.pid);
      this.#drain(output, () => this.#end(listener, { code, signal }));
    });
    child.on('error', (error) => {
      if (child.pid === undefined) this.#end(listener, { code: null, signal: null, notStarted: this.#notStarted(error) });
    });
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** Resolves after the listener's `exit`. */
  get gone(): Promise<void> {
    return this.#gone.promise;
  }

  /**
   * How many of the requests that it was given, in that order, may have begun; infinity: any may
   * have.
   */
  get begun(): number {
    return this.#mark.read();
  }

  get redactions(): RedactionMark {
    return this.#mark.readRedactions();
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

  /** The client's side has taken so many bytes of a stream. */
  credit(id: number, bytes: number): void {
    this.#to.credit(id, bytes);
  }

  /** Asks for redacted bodies. */
  redact(id: number, head: RedactHead, bodies: readonly Uint8Array[]): void {
    this.#to.redact(id, head, bodies);
  }

  /**
   * Closes this side of the pipe, at which the process exits by itself, and kills it where it does
   * not; `exit` follows.
   * @param limitMs of the script's `close()`; 0 if it has none
   * @param late called before the process is killed
   */
  end(limitMs = 0, late?: (limitMs: number) => void): void {
    this.#pipe.end();
    const ms = Math.max(Math.round(limitMs), LONGEST_END_MS);
    setTimeout(() => {
      if (this.#runs) late?.(ms);
      this.kill();
    }, ms).unref();
  }

  /** Ends the process at once; `exit` follows. */
  kill(): void {
    if (this.#runs && this.#child.pid !== undefined) killGroup(this.#child.pid);
  }

  get #runs(): boolean {
    return this.#child.pid !== undefined && this.#child.exitCode === null && this.#child.signalCode === null;
  }

  #readFrames(listener: ProcessListener, output: WorkerOutput): void {
    const reader = new FrameReader((id, kind, payload) => {
      this.lastReadAt = performance.now();
      // Lines of the console share the pipe with answers, and wait apart from them.
      if (kind === WorkerKind.log) return output.log(messages.log(payload), payload.length);
      if (kind === WorkerKind.ready) this.#answers.attach(this.#pipe);
      return readFromWorker(listener, id, kind, payload);
    }, this.#mostBytes);
    this.#pipe.on('data', (chunk: Buffer) => {
      try {
        reader.feed(chunk);
      } catch (thrown) {
        // An error of a frame, or in its handling, costs this worker and no other.
        this.#pipe.destroy();
        listener.broke(thrown instanceof FrameError ? thrown.message : stackOfThrown(thrown));
      }
    });
  }

  #notStarted(error: Error): string {
    const why = describeThrown(error);
    if (this.#user === undefined) return why;
    return `${why} (as user ${this.#user.uid}:${this.#user.gid} of WORKER_USER, who must be able to execute ${this.#program})`;
  }

  #end(listener: ProcessListener, exit: Exit): void {
    listener.exit(exit);
    this.#mark.close();
    this.#gone.resolve();
  }

  /** Calls back once all output of the process has been read, soon in any case. */
  #drain(output: WorkerOutput, done: () => void): void {
    this.#answers.detach(this.#pipe);
    let finished = false;
    const finish = (): void => {
      if (finished) return;
      finished = true;
      clearTimeout(timer);
      output.close();
      this.#pipe.destroy();
      done();
    };
    const timer = setTimeout(finish, LAST_OUTPUT_MS);
    const closed = new Promise<void>((resolve) => (this.#pipe.closed ? resolve() : this.#pipe.once('close', resolve)));
    void closed.then(() => output.ended()).then(finish);
  }
}
