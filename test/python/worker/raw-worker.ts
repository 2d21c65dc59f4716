import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Duplex } from 'node:stream';
import { FrameReader } from '../../../server/ipc/frame-reader.ts';
import { FrameWriter, MOST_FRAME_BYTES } from '../../../server/ipc/frames.ts';
import { WorkerKind, type WorkerKindName } from '../../../server/ipc/kinds.ts';
import type { ScoreHead } from '../../../server/ipc/score-head.ts';
import type { StartMessage } from '../../../server/ipc/start-message.ts';
import { ToWorker } from '../../../server/ipc/to-worker.ts';
import { folder } from '../../set-up/folder.ts';
import { reaped } from '../../set-up/reaper.ts';
import { PYTHON, SCRIPTS, WORKER_MAIN } from './python-workers.ts';

export interface Frame {
  readonly kind: WorkerKindName;
  readonly id: number;
  readonly text: string;
}

const names = new Map<number, WorkerKindName>(Object.entries(WorkerKind).map(([name, kind]) => [kind, name as WorkerKindName]));

/** A worker whose host is the test, frame by frame. */
export class RawWorker {
  readonly frames: Frame[] = [];
  readonly child: ChildProcess;
  readonly pipe: Duplex;
  readonly writer: FrameWriter;
  readonly to: ToWorker;
  readonly exited: Promise<unknown>;
  stderr = '';
  readonly #script: string;
  readonly #mark = join(folder(), 'mark');
  #waiting: (() => void)[] = [];

  constructor(script: string, python = PYTHON) {
    this.#script = join(SCRIPTS, script);
    writeFileSync(this.#mark, Buffer.alloc(24));
    const fd = openSync(this.#mark, 'r+');
    this.child = reaped(
      spawn(python, [WORKER_MAIN], {
        stdio: ['ignore', 'ignore', 'pipe', 'pipe', fd],
        detached: true,
        env: { ...process.env, PYTHONDONTWRITEBYTECODE: '1' },
      }),
    );
    closeSync(fd);
    const pipe = this.child.stdio[3];
    assert.ok(pipe instanceof Duplex);
    this.pipe = pipe;
    pipe.on('error', () => undefined);
    this.child.stderr!.on('data', (chunk: Buffer) => (this.stderr += chunk.toString()));
    this.writer = new FrameWriter(pipe, (flush) => process.nextTick(flush));
    this.to = new ToWorker(this.writer);
    const reader = new FrameReader((id, kind, payload) => {
      this.frames.push({ kind: names.get(kind)!, id, text: payload.toString() });
      for (const wake of this.#waiting.splice(0)) wake();
    }, MOST_FRAME_BYTES);
    pipe.on('data', (chunk: Buffer) => reader.feed(chunk));
    this.exited = once(this.child, 'exit').then(([code]) => code as unknown);
  }

  start(more: Partial<StartMessage> = {}): void {
    this.to.start({
      entryScript: this.#script,
      noCode: false,
      modelFile: undefined,
      modelDir: undefined,
      modelName: 'm',
      importPath: [dirname(this.#script)],
      concurrency: 4,
      initTimeoutMs: 10_000,
      execution: { provider: 'cpu', strict: true },
      intraOpThreads: 1,
      maxBatchSize: 'auto',
      maxBatchDelayMs: 0,
      warmUp: 'on',
      nonFinite: 'string',
      jsonNan: 'accept',
      sharedSizes: 'check',
      answerLimitBytes: 1 << 20,
      logLevel: 'info',
      tracing: false,
      concurrencyIsDefault: true,
      ...more,
    });
  }

  async ready(more: Partial<StartMessage> = {}): Promise<Record<string, unknown>> {
    this.start(more);
    return JSON.parse((await this.frame('ready')).text) as Record<string, unknown>;
  }

  score(id: number, data: unknown, head: Partial<ScoreHead> = {}): void {
    const all: ScoreHead = {
      protocol: 'score',
      method: 'POST',
      url: '/score',
      contentType: 'application/json',
      id: `request-${id}`,
      clientRequestId: undefined,
      traceId: '0123456789abcdef0123456789abcdef',
      ...head,
    };
    this.to.score(id, all, [], [Buffer.from(JSON.stringify(data))]);
  }

  /** The first frame of this kind, now or later. */
  async frame(kind: WorkerKindName, id?: number): Promise<Frame> {
    for (;;) {
      const found = this.frames.find((frame) => frame.kind === kind && (id === undefined || frame.id === id));
      if (found !== undefined) return found;
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  /** The start mark: how many `score` frames have begun. */
  get begun(): number {
    return readFileSync(this.#mark).readDoubleLE();
  }

  async end(): Promise<void> {
    this.pipe.end();
    const timer = setTimeout(() => this.child.kill('SIGKILL'), 5000);
    await this.exited;
    clearTimeout(timer);
    this.pipe.destroy();
  }
}

/** Runs `test` with a worker, and ends it whatever happens. */
export async function withRawWorker(script: string, test: (worker: RawWorker) => Promise<void>): Promise<void> {
  const worker = new RawWorker(script);
  try {
    await test(worker);
  } finally {
    await worker.end();
  }
}
