import type { Readable } from 'node:stream';
import { LINE_COST, type OutputLine, relayLines, TURN_BUDGET } from '../guards/output-lines.ts';
import type { LogMessage } from '../ipc/worker-messages.ts';

/**
 * Bytes of one worker's lines that may wait because they came faster than they can be logged. More
 * are dropped and counted.
 */
const MOST_WAITING = 4 * 1024 * 1024;

/** Takes the lines of a worker's process. */
export interface OutputListener {
  /** A line of the console. */
  log(message: LogMessage): void;
  /**
   * A line that the process, or one that it started, wrote to its stdout or stderr, past the
   * console.
   */
  output(stream: 'stdout' | 'stderr', line: OutputLine): void;
}

interface Waiting {
  readonly message: LogMessage;
  readonly cost: number;
}

/**
 * Relays lines of a worker to the log, a bounded share in each turn of the event loop. Streams wait
 * in their pipes. Lines of the console share a pipe with answers, which must not wait: they queue,
 * and beyond a bound they are dropped and counted.
 */
export class WorkerOutput {
  readonly #listener: OutputListener;
  readonly #relays: Promise<void>[] = [];
  readonly #streams: Readable[] = [];
  #queue: Waiting[] = [];
  /** Of the queue, done already. */
  #done = 0;
  #waiting = 0;
  #spent = 0;
  #turning = false;
  #dropped = 0;
  #onEmpty: (() => void) | undefined;

  constructor(listener: OutputListener) {
    this.#listener = listener;
  }

  /** Relays a stream of the process, to its end. */
  relay(name: 'stdout' | 'stderr', stream: Readable | null | undefined): void {
    // A process that could not be started has none.
    if (stream === null || stream === undefined) return;
    stream.on('error', () => undefined);
    this.#streams.push(stream);
    this.#relays.push(relayLines(stream, (line) => this.#listener.output(name, line)));
  }

  /** Logs a line of the console, now or in a later turn. @param bytes of its frame */
  log(message: LogMessage, bytes: number): void {
    const cost = LINE_COST + (message.fields === undefined ? message.msg.length : bytes);
    if (this.#queue.length === 0 && this.#spent < TURN_BUDGET) this.#pass({ message, cost });
    else if (this.#waiting + cost <= MOST_WAITING) {
      this.#queue.push({ message, cost });
      this.#waiting += cost;
    } else this.#dropped += 1 + (message.dropped ?? 0);
  }

  /** Resolves when all lines are logged. */
  async ended(): Promise<void> {
    await Promise.all(this.#relays);
    if (this.#turning) await new Promise<void>((resolve) => (this.#onEmpty = resolve));
  }

  /** Closes the streams. Why: a child of the worker may hold them open for ever. */
  close(): void {
    for (const stream of this.#streams) stream.destroy();
  }

  #pass({ message, cost }: Waiting): void {
    this.#spent += cost;
    this.#schedule();
    this.#listener.log(message);
  }

  #schedule(): void {
    if (this.#turning) return;
    this.#turning = true;
    setImmediate(() => this.#turn());
  }

  #turn(): void {
    this.#turning = false;
    this.#spent = 0;
    while (this.#spent < TURN_BUDGET) {
      const next = this.#queue[this.#done];
      if (next === undefined) break;
      this.#done++;
      this.#waiting -= next.cost;
      this.#pass(next);
    }
    if (this.#done < this.#queue.length) return;
    this.#queue = [];
    this.#done = 0;
    this.#reportDropped();
    if (this.#turning) return;
    this.#onEmpty?.();
  }

  #reportDropped(): void {
    if (this.#dropped === 0) return;
    const dropped = this.#dropped;
    this.#dropped = 0;
    this.#listener.log({ level: 'warn', msg: '', dropped });
  }
}
