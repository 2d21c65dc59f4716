import { fork, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { reaped } from '../set-up/reaper.ts';

/**
 * A program of this folder as a process of its own, which answers one message after the other. Why
 * a process: a generator, a probe and a test that share a thread delay each other.
 */
export class Program {
  readonly #child: ChildProcess;

  /** @param name of the file, without `-process.ts` */
  constructor(name: string) {
    this.#child = reaped(fork(fileURLToPath(new URL(`./${name}-process.ts`, import.meta.url))));
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** Resolves with the answer to this message. */
  async ask<Told>(message: object): Promise<Told> {
    const ended = new AbortController();
    const end = (): void => ended.abort(new Error('the program ended without an answer'));
    this.#child.once('exit', end);
    this.#child.send(message);
    try {
      const [told] = (await once(this.#child, 'message', { signal: ended.signal })) as [Told];
      return told;
    } finally {
      this.#child.off('exit', end);
    }
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    this.#child.kill('SIGKILL');
    await once(this.#child, 'exit');
  }
}

/**
 * Lets a process go before all others, without the children that it starts. Returns false where
 * this user may not. Why: load and neighbours of the same cores would else be measured, too.
 */
export function goFirst(pid: number): boolean {
  return spawnSync('chrt', ['--all-tasks', '--rr', '--reset-on-fork', '--pid', '1', String(pid)]).status === 0;
}

/** The other side: answers each message. */
export function answerMessages<Asked extends object>(answer: (asked: Asked) => Promise<object>): void {
  process.on('message', (asked: Asked) => void answer(asked).then((told) => process.send?.(told)));
}
