import { ServerError } from '../errors.ts';
import type { Tensors } from '../inference/batcher.ts';
import type { WorkerInitContext } from './script/init-context.ts';
import type { LoadedScript } from './script/load-entry-script.ts';
import { endUnread } from './outcome.ts';
import { stackWithAdvice } from './refused-access.ts';
import { headText } from '../ipc/score-head.ts';
import { WorkerRequest } from './request-context.ts';
import { fresh } from './sample.ts';
import { isMisfit, shownAnswer } from './shown-sample.ts';
import type { NonFinite } from './codecs/encode-result.ts';
import type { Json } from '../ipc/script-schemas.ts';
import type { StartMessage } from '../ipc/start-message.ts';
import type { Trying } from './trying.ts';

/**
 * Runs on the sample. Why three: V8 and ONNX Runtime have compiled by then. A slow script gets
 * fewer.
 */
const RUNS = 3;
const LONG_ENOUGH_MS = 200;

/** What a warm-up has shown. */
interface WarmedUp {
  readonly taken?: Tensors | undefined;
  readonly answer?: Json | undefined;
}

/**
 * Makes a worker's first request as fast as its others, before the worker is ready. Nothing is made
 * up for a script that has a sample.
 * @returns inputs that the first model took, where the script has no sample
 * @throws ServerError init_failed when `run()` fails on the script's own sample; script_broken when
 * its answer does not fit the schema that the script exports
 */
export async function warmUp(
  script: LoadedScript,
  context: WorkerInitContext,
  { warmUp: mode, nonFinite }: Pick<StartMessage, 'warmUp' | 'nonFinite'>,
  trying: Trying,
): Promise<WarmedUp> {
  const { sample } = script;
  if (mode === 'off' || (mode === 'failed' && sample === undefined)) return {};
  if (sample === undefined) {
    const taken: (Tensors | undefined)[] = [];
    for (const model of context.opened) taken.push(await trying(model.name, () => model.warmUp()));
    return { taken: taken[0] };
  }
  context.remember(true);
  const answer = await runSample(script, sample, nonFinite);
  context.remember(false);
  return { answer };
}

/** @returns the first answer as JSON */
async function runSample(script: LoadedScript, sample: unknown, nonFinite: NonFinite): Promise<Json | undefined> {
  const began = performance.now();
  let answer: Json | undefined;
  try {
    for (let run = 0; run < RUNS && performance.now() - began < LONG_ENOUGH_MS; run++) {
      const result: unknown = await script.run(fresh(sample), warmUpRequest().forScript);
      if (run === 0) answer = shownAnswer(script, result, nonFinite);
      endUnread(result);
    }
    return answer;
  } catch (cause) {
    if (isMisfit(cause)) throw cause;
    const why = stackWithAdvice(cause);
    throw new ServerError('init_failed', `User script at ${script.path}: run() failed on the sample that the script exports: ${why}`, {
      cause,
    });
  }
}

function warmUpRequest(): WorkerRequest {
  const head = {
    protocol: 'score',
    method: 'POST',
    url: '/score',
    contentType: undefined,
    id: 'warm-up',
    clientRequestId: undefined,
    traceId: '0'.repeat(32),
  } as const;
  return new WorkerRequest(head.protocol, headText(head, []));
}
