/**
 * Subjects are processes in a session of their own, so that everything they start can be found,
 * measured and ended.
 */

import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { killTree, treeIsGone } from './processes.ts';
import { ADDRESS } from './subject.ts';

const START_LIMIT_MS = 120_000;
const STOP_LIMIT_MS = 5000;

const running = new Set<SubjectProcess>();

/**
 * For when the bench itself is stopped: Python's servers leave semaphores behind when they are
 * killed.
 */
export async function stopAllSubjects(): Promise<void> {
  await Promise.all([...running].map((subject) => subject.stop()));
}

export function killAllSubjects(): void {
  for (const subject of running) killTree(subject.pid);
}

export interface Command {
  readonly file: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Where it runs, and writes its output and temporary files. */
  readonly folder: string;
  /** Opens a channel for messages. */
  readonly channel?: boolean;
}

export class SubjectProcess {
  readonly child: ChildProcess;
  readonly #startedAt = performance.now();
  readonly #output: string;
  readonly #failed: Promise<never>;

  constructor({ file, args, env = {}, folder, channel = false }: Command) {
    this.#output = join(folder, 'output.txt');
    const output = openSync(this.#output, 'w');
    this.child = spawn(file, args, {
      cwd: folder,
      // Nothing of the user's settings, and nothing into the user's folders.
      env: { PATH: process.env.PATH, HOME: folder, TMPDIR: folder, NODE_ENV: 'production', ORT_DISABLE_TELEMETRY: '1', ...env },
      stdio: ['ignore', output, output, ...(channel ? (['ipc'] as const) : [])],
      detached: true,
    });
    closeSync(output);
    this.#failed = new Promise((_resolve, reject) => {
      this.child.once('error', reject);
      this.child.once('exit', (code, signal) => reject(new Error(`it ended (${signal ?? code}) and said:\n${this.#lastWords()}`)));
    });
    this.#failed.catch(() => undefined);
    running.add(this);
  }

  get pid(): number {
    return this.child.pid ?? -1;
  }

  /**
   * Waits until it is ready; answers how long that took since its start. Where it fails, it is
   * stopped.
   */
  async ready(isReady: () => Promise<boolean>): Promise<number> {
    const polled = async (): Promise<number> => {
      for (;;) {
        if (await isReady()) return performance.now() - this.#startedAt;
        const waited = performance.now() - this.#startedAt;
        if (waited > START_LIMIT_MS) throw new Error(`it was not ready within ${START_LIMIT_MS / 1000} s and said:\n${this.#lastWords()}`);
        await delay(waited < 2000 ? 5 : 50);
      }
    };
    try {
      return await Promise.race([polled(), this.#failed]);
    } catch (error) {
      await this.stop();
      throw error;
    }
  }

  /** As Ctrl-C does, then by force. */
  async stop(): Promise<void> {
    if (this.child.exitCode === null && this.child.signalCode === null) this.child.kill('SIGINT');
    const limit = performance.now() + STOP_LIMIT_MS;
    while (!treeIsGone(this.pid) && performance.now() < limit) await delay(20);
    killTree(this.pid);
    running.delete(this);
  }

  #lastWords(): string {
    return readFileSync(this.#output, 'utf8').trim().split('\n').slice(-15).join('\n');
  }
}

export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, ADDRESS, resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('expected a port');
  return address.port;
}
