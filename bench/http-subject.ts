/** A subject that speaks HTTP: start, readiness, answers, load. */

import { type Answer, ask } from './ask.ts';
import { slowLoad } from './slow-load.ts';
import { type Command, SubjectProcess } from './subject-process.ts';
import type { Running } from './subject.ts';
import { wrk } from './wrk.ts';

export interface HttpSubject {
  readonly command: Command;
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: Buffer | string;
  /** The model answers a few requests a second. */
  readonly slow: boolean;
  /** Answers 200 once the subject is ready. */
  readonly ready: string;
  readonly health: string;
  /** The predictions in an answer. */
  readonly predictions: (answer: Answer) => unknown;
}

export async function startHttp(subject: HttpSubject): Promise<Running> {
  const { command, url, health } = subject;
  const headers = { 'content-type': 'application/json', ...subject.headers };
  const process = new SubjectProcess(command);
  const readyMs = await process.ready(() => isReady(subject.ready));
  return {
    pid: process.pid,
    readyMs,
    health,
    ask: async () => {
      const answer = await ask(url, { method: 'POST', headers, body: subject.body });
      if (answer.status !== 200) throw new Error(`POST ${url} answered ${answer.status}: ${answer.body.subarray(0, 500).toString()}`);
      return [subject.predictions(answer)].flat(9) as number[];
    },
    load: (seconds, connections) =>
      (subject.slow ? slowLoad : wrk)({ url, headers, body: subject.body, folder: command.folder, seconds, connections }),
    stop: () => process.stop(),
  };
}

export const json = (answer: Answer): unknown => JSON.parse(answer.body.toString());

async function isReady(url: string): Promise<boolean> {
  try {
    return (await ask(url, { timeoutMs: 5000 })).status === 200;
  } catch {
    return false;
  }
}
