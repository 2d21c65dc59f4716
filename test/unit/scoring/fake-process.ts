import type { ScoreRequest } from '../../../server/scoring/scorer-types.ts';
import type { Exit, ProcessListener, WorkerLink } from '../../../server/scoring/worker-process.ts';
import { readFromWorker } from '../../../server/ipc/from-worker.ts';
import { PROTOCOL_VERSION, WorkerKind } from '../../../server/ipc/kinds.ts';
import type { RedactHead } from '../../../server/ipc/redaction.ts';
import { REPLY_HEAD_BYTES } from '../../../server/ipc/reply-head.ts';
import type { FailureMessage } from '../../../server/ipc/worker-messages.ts';

/** A worker process without a process: it keeps what the host sends, and sends what a test says. */
export class FakeProcess implements WorkerLink {
  readonly pid = 4711;
  /** As the mark of begun runs says. */
  begun = Number.POSITIVE_INFINITY;
  redactions = { begun: 0, holder: 0 };
  lastReadAt = performance.now();
  readonly scores: { readonly id: number; readonly request: ScoreRequest }[] = [];
  readonly cancels: number[] = [];
  readonly credits: { readonly id: number; readonly bytes: number }[] = [];
  readonly redacts: { readonly id: number; readonly head: RedactHead; readonly bodies: readonly Uint8Array[] }[] = [];
  /** `end` and `kill`, in their order. */
  readonly endings: ('end' | 'kill')[] = [];
  readonly #gone = Promise.withResolvers<void>();
  #listener: ProcessListener | undefined;

  get gone(): Promise<void> {
    return this.#gone.promise;
  }

  get listener(): ProcessListener {
    if (this.#listener === undefined) throw new Error('nobody listens');
    return this.#listener;
  }

  listen(listener: ProcessListener): void {
    this.#listener = listener;
  }

  score(id: number, request: ScoreRequest, written: () => void): void {
    this.scores.push({ id, request });
    written();
  }

  cancel(id: number): void {
    this.cancels.push(id);
  }

  credit(id: number, bytes: number): void {
    this.credits.push({ id, bytes });
  }

  redact(id: number, head: RedactHead, bodies: readonly Uint8Array[]): void {
    this.redacts.push({ id, head, bodies });
  }

  end(): void {
    this.endings.push('end');
  }

  kill(): void {
    this.endings.push('kill');
  }

  /** Sends a frame. */
  frame(kind: number, id = 0, payload: unknown = Buffer.alloc(0)): void {
    this.lastReadAt = performance.now();
    readFromWorker(this.listener, id, kind, Buffer.isBuffer(payload) ? payload : Buffer.from(JSON.stringify(payload)));
  }

  ready(concurrency = 1, ahead = 0): void {
    this.frame(WorkerKind.ready, 0, {
      version: PROTOCOL_VERSION,
      rawHttp: false,
      parsesJson: true,
      redacts: false,
      concurrency,
      ahead,
      models: [],
    });
  }

  startFailed(message: FailureMessage): void {
    this.frame(WorkerKind.startFailed, 0, message);
  }

  /** @param ms of run() */
  reply(id: number, body = 'done', ms = 1): void {
    const timed = Buffer.from(head);
    timed.writeDoubleLE(ms, 3);
    this.frame(WorkerKind.reply, id, Buffer.concat([timed, Buffer.from(body)]));
  }

  startStream(id: number): void {
    this.frame(WorkerKind.stream, id, head);
  }

  /** The process is gone. */
  exit(exit: Exit = { code: null, signal: 'SIGKILL' }): void {
    this.listener.exit(exit);
    this.#gone.resolve();
  }
}

/** Of an answer with status 200, no headers, and a run of a millisecond. */
const head = Buffer.alloc(REPLY_HEAD_BYTES);
head.writeUInt16LE(200, 0);
head.writeDoubleLE(1, 3);
