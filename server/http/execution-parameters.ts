import type { Config } from '../config/config.ts';
import type { BatchJob } from '../config/platforms/platform.ts';
import type { Scorer, Served } from '../scoring/scorer-types.ts';
import type { HttpExchange } from './exchange.ts';

const MiB = 1024 * 1024;
/** SageMaker refuses a job whose requests at a time have more than that together. */
const MOST_MB = 100;

type Options = Pick<Config, 'bodyLimitBytes'>;

/** `/execution-parameters`: how SageMaker's batch transform may call this server. */
export class ExecutionParameters {
  readonly #scorer: Scorer;
  readonly #options: Options;
  readonly #job: BatchJob | undefined;

  constructor(scorer: Scorer, options: Options, job: BatchJob | undefined) {
    this.#scorer = scorer;
    this.#options = options;
    this.#job = job;
  }

  show(exchange: HttpExchange): void {
    const { served, concurrency } = this.#scorer;
    const transforms = this.#job?.concurrency ?? Math.min(Math.max(1, concurrency), MOST_MB);
    const megabytes = Math.min(this.#options.bodyLimitBytes / MiB, MOST_MB / transforms);
    const body = {
      MaxConcurrentTransforms: transforms,
      BatchStrategy: this.#job?.strategy ?? (takesRows(served) ? 'MULTI_RECORD' : 'SINGLE_RECORD'),
      // 0 would mean bodies of any size.
      MaxPayloadInMB: Math.max(1, Math.floor(megabytes)),
    };
    exchange.answer(200, ['Content-Type', 'application/json'], JSON.stringify(body));
  }
}

/** False for a model without code whose first size is fixed. A script decides, and may say so. */
function takesRows(served: Served | undefined): boolean {
  const [model] = served?.models ?? [];
  if (served?.noCode !== true || model === undefined) return true;
  return model.inputs.every(({ dims: [first] }) => typeof first === 'string');
}
