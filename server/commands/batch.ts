import { type BatchInput, inputsOf } from '../batch/inputs.ts';
import { batchFlags, type BatchOptions, readBatchOptions } from '../batch/options.ts';
import { openOutput, type Output } from '../batch/output.ts';
import { BatchRun } from '../batch/run.ts';
import { BatchScoring } from '../batch/scoring.ts';
import { readConfig, type ServeCommand } from '../config/read-config.ts';
import { within } from '../guards/within.ts';
import { Ending } from '../host/ending.ts';
import type { HostProcess } from '../host/host-server.ts';
import { type PortlessScorer, startPortless } from '../host/portless.ts';
import { VERSION } from '../host/serving-plan.ts';
import { reportFailure } from '../host/start-report.ts';
import { createLog, type Log } from '../log.ts';
import { commandHelp, takeFlags } from './flags.ts';
import { refuseStart } from './refuse-start.ts';

const SIGNALS = ['SIGHUP', 'SIGINT', 'SIGTERM'] as const;
/**
 * Exit code of a batch that a signal ends. Why not 143: the image's init turns that into 0, and a
 * batch that is cut off must not look done.
 */
const CUT_OFF = 1;
/** Bytes of bodies and answers that a batch holds, where QUEUE_MAX_BYTES allows it. */
const WINDOW_BYTES = 64 * 1024 * 1024;
/**
 * Of the scorer. The window of the batch bounds its queue, so that a full queue fails no input.
 * Each input has no time limit of its own: BatchScoring says why.
 */
const WITHOUT_LIMITS = {
  scoringTimeoutMs: 0,
  queueWaitTimeoutMs: 0,
  queueMaxRequests: Number.MAX_SAFE_INTEGER,
  queueMaxBytes: Number.MAX_SAFE_INTEGER,
};
/** Time of an exit beyond DRAIN_TIMEOUT_MS, and of the last lines. */
const [EXIT_MS, LAST_LINES_MS] = [6000, 2000];

const ABOUT = `Scores inputs without a port, and writes one line of JSON for each, in order.
Flags, besides the options of serve (see --help without a command):`;
const HELP = `${commandHelp('node server/main.ts batch --input FILE|FOLDER|- --output FILE|- [flags]', ABOUT, batchFlags)}
Exit codes: 0 done, 1 cut off: a signal, more errors than allowed, an input or output that fails,
2 usage, 3 script or model, 4 execution provider.
`;

/** `scoring-server batch`: scores files or JSON lines without a port, a line for each. */
export async function batch(host: HostProcess, args: readonly string[]): Promise<void> {
  try {
    const { given, rest, help } = takeFlags(batchFlags, args);
    if (help) return void host.stdout.write(HELP);
    const command = readConfig({ argv: rest, env: host.env, cwd: host.cwd() });
    if (command.kind !== 'serve') return void host.stdout.write(`${VERSION}\n`);
    const options = readBatchOptions(given, { env: host.env, cwd: host.cwd() });
    await runBatch(host, command, options, await openOutput(options.output, host.stdout));
  } catch (thrown) {
    refuseStart(host, thrown, 'scoring-server batch');
  }
}

/** The log is on stderr, because stdout may have the output. */
async function runBatch(host: HostProcess, command: ServeCommand, options: BatchOptions, output: Output): Promise<void> {
  const { config } = command;
  const { log, flush } = await createLog(config, host, 'stderr');
  const ending = new Ending({ host, log, flush });
  for (const warning of command.warnings) log.warn(warning);
  const started = performance.now();
  let portless: PortlessScorer | undefined;
  let code: number;
  try {
    portless = startPortless(host, { command: { ...command, config: { ...config, ...WITHOUT_LIMITS } }, log });
    const run = batchRun(config, options, { scorer: portless.scorer, output, log });
    const signalled = signalOf(host, log, ending);
    const inputs = inputsOf(options, { stdin: host.stdin, limit: config.bodyLimitBytes });
    const done = portless.ready.then(() => run.run(inputs));
    const outcome = await Promise.race([done, signalled, portless.failed]).finally(() => run.stop());
    // A line that is being written is written whole.
    await within(LAST_LINES_MS, done);
    code = outcome ?? 0;
    const { index, of } = options.shard;
    const ms = Math.round(performance.now() - started);
    log.info({ ...run.tally, shard: `${index}/${of}`, ms }, outcome === undefined ? 'batch done' : 'batch stopped by a signal');
  } catch (thrown) {
    code = reportFailure(log, thrown, config);
  }
  ending.begin(config.drainTimeoutMs + EXIT_MS);
  await within(LAST_LINES_MS, output.close());
  await portless?.stop();
  await ending.exit(code);
}

interface RunParts {
  readonly scorer: PortlessScorer['scorer'];
  readonly output: Output;
  readonly log: Log;
}

function batchRun(config: ServeCommand['config'], { errorThreshold }: BatchOptions, { scorer, output, log }: RunParts): BatchRun {
  const { scoringTimeoutMs: stallMs, answerLimitBytes: answerLimit, queueMaxBytes } = config;
  const scoring = new BatchScoring({ scorer, log, stallMs, answerLimit });
  return new BatchRun({
    score: (input: BatchInput) => scoring.score(input),
    output,
    concurrency: () => scorer.load.concurrency,
    maxBytes: Math.min(WINDOW_BYTES, queueMaxBytes / 2),
    errorThreshold,
  });
}

/** Resolves with the exit code of the first signal. A second one ends the process at once. */
function signalOf(host: HostProcess, log: Log, ending: Ending): Promise<number> {
  return new Promise((resolve) => {
    let seen = false;
    const stop = (signal: string): void => {
      if (seen) return void ending.atOnce(CUT_OFF);
      seen = true;
      log.info({ signal }, 'stopping: the lines that are written stay');
      return resolve(CUT_OFF);
    };
    for (const signal of SIGNALS) host.on(signal, () => stop(signal));
  });
}
