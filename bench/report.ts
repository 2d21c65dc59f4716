import { execFileSync } from 'node:child_process';
import { cpus, release, totalmem } from 'node:os';
import packageJson from '../package.json' with { type: 'json' };
import type { Case } from './cases.ts';
import type { Options } from './options.ts';
import type { Step } from './plan.ts';
import type { Results } from './results.ts';
import type { Subject } from './subject.ts';
import { verdicts } from './targets.ts';

type Cell = string | number | undefined;

/** A table of Markdown that reads well as text too. */
function markdownTable(head: readonly string[], rows: readonly (readonly Cell[])[]): string {
  const lines = [head, ...rows.map((row) => row.map((cell) => String(cell ?? '-')))];
  const widths = head.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  const numeric = head.map((_, column) => rows.every((row) => /^[-\d]/.test(String(row[column] ?? '-'))));
  const format = (line: readonly string[]): string =>
    `| ${line.map((cell, column) => (numeric[column] ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0))).join(' | ')} |`;
  const rule = widths.map((width, column) => (numeric[column] ? `${'-'.repeat(width + 1)}:` : '-'.repeat(width + 2)));
  const [first = head, ...rest] = lines;
  return [format(first), `|${rule.join('|')}|`, ...rest.map(format)].join('\n');
}

const fixed = (value: number | undefined, digits: number): string | undefined => value?.toFixed(digits);
const megabytes = (bytes: number | undefined): string | undefined => fixed(bytes === undefined ? undefined : bytes / 1e6, 0);
const rate = (value: number | undefined): string | undefined => fixed(value, value !== undefined && value < 100 ? 1 : 0);

/** All that was measured with one model. */
export function caseReport(row: Case, plan: readonly Step[], results: Results): string {
  const steps = plan.filter((step) => step.row === row.name);
  const loads = steps
    .flatMap(({ subject, connections }) => connections.map((count) => ({ subject, count })))
    .filter(({ subject, count }) => results.samples(row.name, subject, count).length > 0)
    .toSorted((a, b) => a.count - b.count);
  const loadRows = loads.map(({ subject, count }) => [
    count,
    subject,
    rate(results.figure(row.name, subject, count, 'requestsPerSecond')),
    fixed((results.spread(row.name, subject, count) ?? 0) * 100, 0),
    fixed(results.ratio(row.name, [subject, 'naive'], count, 'requestsPerSecond'), 2),
    fixed(results.figure(row.name, subject, count, 'cpuMicroseconds'), 0),
    fixed(results.ratio(row.name, [subject, 'naive'], count, 'cpuMicroseconds'), 2),
    fixed(results.figure(row.name, subject, count, 'p50Ms'), 2),
    fixed(results.figure(row.name, subject, count, 'p99Ms'), 2),
    fixed(results.probeP99Ms(row.name, subject, count), 1),
    results.samples(row.name, subject, count).reduce((sum, { errors }) => sum + errors, 0),
  ]);
  const startRows = steps
    .filter(({ subject }) => results.start(row.name, subject, 'readyMs') !== undefined)
    .map(({ subject }) => [
      subject,
      fixed(results.start(row.name, subject, 'readyMs'), 0),
      megabytes(results.start(row.name, subject, 'idlePssBytes')),
      megabytes(results.start(row.name, subject, 'loadedPssBytes')),
    ]);
  return [
    `## ${row.name}: ${row.title}`,
    markdownTable(
      ['conn.', 'subject', 'req/s', '± %', '× naive', 'CPU µs/req', '× naive', 'p50 ms', 'p99 ms', 'probe p99 ms', 'errors'],
      loadRows,
    ),
    markdownTable(['subject', 'ready ms', 'PSS idle MB', 'PSS loaded MB'], startRows),
  ].join('\n\n');
}

export const targetReport = (results: Results): string =>
  [
    '## Targets',
    markdownTable(
      ['target', 'to reach', 'measured', 'met'],
      verdicts(results).map(({ text, wanted, measured, met }) => [text, wanted, measured, met]),
    ),
  ].join('\n\n');

export function failureReport({ failures }: Results): string {
  if (failures.size === 0) return '';
  const items = [...failures].map(([what, why]) => `- ${what}: ${shortened(why.replaceAll(/\s*\n\s*/g, ' / '))}`);
  return ['## Not measured', items.join('\n')].join('\n\n');
}

/** The last words of a process say most. */
const shortened = (text: string): string => (text.length <= 600 ? text : `${text.slice(0, 100)} ... ${text.slice(-500)}`);

interface Circumstances {
  readonly options: Options;
  readonly args: readonly string[];
  readonly subjects: readonly Subject[];
  readonly versions: ReadonlyMap<string, string>;
  readonly minutes: number;
}

/** The machine, the versions and the commands. */
export function headReport({ options, args, subjects, versions, minutes }: Circumstances): string {
  const [cpu, ...others] = cpus();
  return [
    '# Results of the bench',
    'Written by `npm run bench`; how to read it: [README.md](README.md). Ratios compare subjects within this run only.',
    [
      `- when: ${new Date().toISOString().slice(0, 16)}Z, commit ${commit()}, ${minutes.toFixed(0)} minutes`,
      `- command: \`npm run bench${args.length > 0 ? ` -- ${args.join(' ')}` : ''}\`: ${options.rounds} rounds of ${options.seconds} s`,
      `- machine: ${cpu?.model ?? 'unknown CPU'}, ${others.length + 1} cores, ${(totalmem() / 1e9).toFixed(0)} GB, Linux ${release()}`,
      `- versions: Node ${process.versions.node}, onnxruntime-node ${packageJson.dependencies['onnxruntime-node']}, fastify ${packageJson.dependencies.fastify}, wrk ${versions.get('wrk') ?? '-'}`,
      '- load: `wrk -t1 -cCONNECTIONS -dSECONDSs --timeout 30s -s SCRIPT URL` on the same cores, the same row in every request',
    ].join('\n'),
    markdownTable(
      ['subject', 'what it is', 'versions'],
      subjects.map(({ name, title }) => [name, title, versions.get(name) ?? '']),
    ),
  ].join('\n\n');
}

function commit(): string {
  try {
    const git = (...args: string[]): string => execFileSync('git', args, { encoding: 'utf8', cwd: import.meta.dirname }).trim();
    return git('rev-parse', '--short', 'HEAD') + (git('status', '--porcelain', '--', '../server') === '' ? '' : ' with changes');
  } catch {
    return 'unknown';
  }
}
