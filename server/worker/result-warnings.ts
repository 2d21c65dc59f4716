import { Answer } from '../entry-script.ts';
import { parse } from '../guards/built-ins.ts';
import type { WorkerRequest } from './request-context.ts';

/** Warns once of each mistake in what `run()` returns that still has an answer. */
export class ResultWarnings {
  readonly #log: { warn(message: string): void };
  #ofDoubleEncoding = false;
  #ofParameters = false;

  constructor(log: { warn(message: string): void }) {
    this.#log = log;
  }

  look(request: WorkerRequest, result: unknown): void {
    this.#lookForDoubleEncoding(result);
    this.#lookForParameters(request, result);
  }

  #lookForParameters({ protocol }: WorkerRequest, result: unknown): void {
    if (protocol !== 'score' || !(result instanceof Answer) || this.#ofParameters) return;
    if (result.parameters === undefined && result.outputParameters === undefined) return;
    this.#ofParameters = true;
    this.#log.warn('run() answered parameters to a request on /score, whose answers have none: they are left out. Answer headers instead');
  }

  #lookForDoubleEncoding(result: unknown): void {
    if (this.#ofDoubleEncoding || typeof result !== 'string' || !/^\s*[[{]/.test(result)) return;
    try {
      parse(result);
    } catch {
      return;
    }
    this.#ofDoubleEncoding = true;
    this.#log.warn(
      'run() returned a string that is itself JSON: it is answered as a JSON string. Return the object, or a Response with a content type',
    );
  }
}
