import { ServerError, stackOfThrown } from '../errors.ts';
import type { Settle, WorkerInitContext } from './script/init-context.ts';
import type { LoadedScript } from './script/load-entry-script.ts';
import { endUnread } from './outcome.ts';
import { headText } from '../ipc/score-head.ts';
import { WorkerRequest } from './request-context.ts';

/**
 * Runs on the sample. Why three: V8 and ONNX Runtime have compiled by then. A slow script gets
 * fewer.
 */
const RUNS = 3;
const LONG_ENOUGH_MS = 200;

/**
 * Makes a worker's first request as fast as its others, before the worker is ready, and settles its
 * models.
 * @throws ServerError init_failed when `run()` fails on the script's own sample
 */
export async function warmUp(script: LoadedScript, context: WorkerInitContext, settle: Settle): Promise<void> {
  if (script.sample === undefined) for (const model of context.opened) await model.warmUp();
  else {
    context.remember(true);
    await runSample(script);
    context.remember(false);
  }
  await context.settle(settle);
}

async function runSample(script: LoadedScript): Promise<void> {
  const began = performance.now();
  try {
    for (let run = 0; run < RUNS && performance.now() - began < LONG_ENOUGH_MS; run++)
      endUnread(await script.run(script.sample, warmUpRequest()));
  } catch (cause) {
    const why = stackOfThrown(cause);
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
