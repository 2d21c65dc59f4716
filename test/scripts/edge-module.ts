import { appendFileSync, readFileSync } from 'node:fs';
import { ScoringError } from 'scoring-server';

interface Task {
  readonly fails?: string;
  readonly status?: number;
  readonly bytes?: number;
  /** A file that counts the attempts, and how many of them end the worker. */
  readonly dies?: { readonly file: string; readonly times: number };
  readonly ms?: number;
  readonly shows?: 'headers' | 'environment';
  readonly chunks?: readonly string[];
}

export function init(): void {}

/** One way for a message to end. */
export async function run(task: Task, request: { readonly headers: Headers }): Promise<unknown> {
  if (task.fails !== undefined) throw new Error(task.fails);
  if (task.status !== undefined) throw new ScoringError(task.status, `status ${task.status} it is`);
  if (task.bytes !== undefined)
    return new Response(new Uint8Array(task.bytes), { headers: { 'content-type': 'application/octet-stream' } });
  if (task.dies !== undefined) {
    appendFileSync(task.dies.file, '.');
    if (readFileSync(task.dies.file).length <= task.dies.times) process.kill(process.pid, 'SIGKILL');
    return 'lives';
  }
  if (task.ms !== undefined) await new Promise((resolve) => setTimeout(resolve, task.ms));
  if (task.shows === 'headers') return Object.fromEntries(request.headers);
  if (task.shows === 'environment') return Object.keys(process.env);
  if (task.chunks !== undefined)
    return new Response(ReadableStream.from(task.chunks.map((chunk) => Buffer.from(chunk))), { headers: { 'content-type': 'text/plain' } });
  return 'done';
}
