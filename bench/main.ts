/** `npm run bench`: measures this server beside its alternatives. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Case, prepareCase } from './cases.ts';
import { killChildren, stopChildren } from './children.ts';
import { measure, measureBareNode } from './measure.ts';
import { type Options, readOptions, USAGE } from './options.ts';
import { estimateSeconds, makePlan, type Step } from './plan.ts';
import { CACHE } from './python-environment.ts';
import { caseReport, failureReport, headReport, targetReport } from './report.ts';
import { Results } from './results.ts';
import { killAllSubjects, stopAllSubjects } from './subject-process.ts';
import { subjects } from './subjects/all.ts';
import { prepareWrk } from './wrk.ts';

// ONNX Runtime computes the expected answers in this process, and must send no telemetry.
process.env.ORT_DISABLE_TELEMETRY = '1';
let stopping = false;
const say = (text: string): void => void process.stderr.write(text);

const folder = mkdtempSync(join(tmpdir(), 'bench-'));
process.once('exit', () => {
  killChildren();
  killAllSubjects();
  rmSync(folder, { recursive: true, force: true });
});
for (const [signal, code] of Object.entries({ SIGINT: 130, SIGTERM: 143, SIGHUP: 129 })) {
  // The second one does not wait.
  process.on(signal, () => (stopping ? process.exit(code) : void stop().finally(() => process.exit(code))));
}

try {
  const options = readOptions(process.argv.slice(2));
  if (options === undefined) process.stdout.write(USAGE);
  else await bench(options);
} catch (error) {
  say(`the bench failed: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}

async function stop(): Promise<void> {
  stopping = true;
  say('\nstopping ...\n');
  await Promise.all([stopChildren(), stopAllSubjects()]);
}

async function bench(options: Options): Promise<void> {
  if (process.platform !== 'linux') throw new Error('it counts CPU time and memory as Linux tells them in /proc');
  const started = performance.now();
  const results = new Results();
  const planned = makePlan(options);
  const versions = new Map([['wrk', prepareWrk()]]);
  const plan = await prepareSubjects(planned, versions, results);
  const cases = new Map<string, Case>();
  for (const row of new Set(plan.map((step) => step.row))) cases.set(row, await prepareCase(row, join(CACHE, 'models')));

  say(`${options.rounds} rounds, about ${Math.ceil(estimateSeconds(plan, options) / 60)} minutes\n`);
  for (let round = 1; round <= options.rounds; round++) {
    measureBareNode(results);
    // Every other round runs backwards, so that no subject always follows the same one.
    for (const step of round % 2 === 1 ? plan : plan.toReversed()) {
      if (stopping) return;
      say(`round ${round}/${options.rounds}  ${step.row.padEnd(10)} ${step.subject.padEnd(12)}`);
      await measureStep(step, cases.get(step.row), options, results);
      say('\n');
    }
  }
  if (stopping) return;

  const measured = subjects.filter(({ name }) => planned.some(({ subject }) => subject === name));
  const minutes = (performance.now() - started) / 60_000;
  const head = headReport({ options, args: process.argv.slice(2), subjects: measured, versions, minutes });
  const tables = [...cases.values()].map((row) => caseReport(row, plan, results));
  const report = [head, targetReport(results), failureReport(results), ...tables].filter((part) => part !== '').join('\n\n');
  process.stdout.write(`\n${report}\n`);
  if (options.output === undefined) return;
  writeFileSync(options.output, `${report}\n`);
  say(`written to ${options.output}\n`);
}

/** Leaves out subjects that this machine cannot have, and lists them in the report. */
async function prepareSubjects(plan: readonly Step[], versions: Map<string, string>, results: Results): Promise<Step[]> {
  for (const subject of subjects) {
    if (subject.prepare === undefined || !plan.some((step) => step.subject === subject.name)) continue;
    try {
      versions.set(subject.name, await subject.prepare());
    } catch (error) {
      results.failures.set(subject.name, `cannot be installed: ${String(error)}`);
    }
  }
  return plan.filter(({ subject }) => !results.failures.has(subject));
}

/** A subject that fails is listed in the report; the run goes on. */
async function measureStep(step: Step, row: Case | undefined, options: Options, results: Results): Promise<void> {
  const subject = subjects.find(({ name }) => name === step.subject);
  if (subject === undefined || row === undefined) return;
  const report = (text: string): void => say(`  ${text}`);
  try {
    const { connections, warmUpSeconds } = step;
    await measure(subject, row, { connections, seconds: options.seconds, warmUpSeconds, folder, report }, results);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    results.failures.set(`${step.subject} on ${step.row}`, reason);
    report(`FAILED: ${reason.split('\n')[0]}`);
  }
}
