import { basename } from 'node:path';
import { parseArgs } from 'node:util';
import { withoutKeys } from '../guards/addresses.ts';
import { closest } from '../guards/closest.ts';
import { optionRows } from './config.ts';
import { type ForeignFlag, foreignFlags, ownFlags } from './foreign-flags.ts';
import { flagOf, type Option } from './option-values.ts';

/**
 * Words that platforms pass before the flags: SageMaker `serve`, Azure ML the commands of its own
 * images. They change nothing.
 */
const COMMANDS = [
  ['serve'],
  ['runsvdir', '/var/runit'],
  ['azmlinfsrv'],
  ['python', '-m', 'azureml_inference_server_http'],
  ['python3', '-m', 'azureml_inference_server_http'],
];
/** Servers for apps in Python, which may be the command of an image. */
const OTHER_SERVERS = ['gunicorn', 'uvicorn', 'hypercorn', 'waitress-serve', 'flask', 'mlflow'];

/**
 * The values of the flags by name.
 * @param problems gets a line for each wrong flag
 * @param warnings gets a line for each flag without an effect
 */
export function readFlags(argv: readonly string[], problems: string[], warnings: string[]): Map<string, string> {
  const rows = flagRows();
  const first = basename(argv[0] ?? '');
  if (OTHER_SERVERS.includes(first)) {
    problems.push(`command ${first}: expected only flags (see --help), because this server needs no ${first}. Leave the command out`);
    return new Map();
  }
  const args = withoutCommand(argv).map(spelling);
  const { tokens } = parseArgs({
    args,
    options: Object.fromEntries([...rows.keys(), ...foreignFlags.keys()].map((name) => [name, { type: 'string' as const }])),
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const flags = new Map<string, string>();
  for (const [index, token] of tokens.entries()) {
    if (token.kind === 'positional' && !isStrayValue(tokens[index - 1], rows))
      problems.push(`argument ${JSON.stringify(withoutKeys(token.value))}: expected only flags${flagFor(token.value)} (see --help)`);
    if (token.kind !== 'option') continue;
    const { name, rawName, value } = token;
    const foreign = foreignFlags.get(name);
    if (name === 'help' || name === 'h') flags.set('help', '');
    else if (name === 'version') flags.set('version', '');
    else if (!rows.has(name) && foreign === undefined)
      problems.push(`${rawName.replace(/^---/, '-')}: there is no such flag${insteadOf(name, rows)} (see --help)`);
    else if (isMissing(value, foreign)) problems.push(`${rawName}: expected a value after it`);
    else if (foreign === undefined) flags.set(name, value ?? '');
    else setAbsent(flags, ownFlags(foreign, { rawName, value }, problems, warnings));
  }
  return flags;
}

/** A flag that is refused may be one without a value. */
function isMissing(value: string | undefined, foreign: ForeignFlag | undefined): boolean {
  return (value === undefined || value === '') && (foreign === undefined || !('refused' in foreign));
}

/** A flag of this server's own wins, wherever it stands. */
function setAbsent(flags: Map<string, string>, own: readonly (readonly [string, string])[]): void {
  for (const [name, value] of own) if (!flags.has(name)) flags.set(name, value);
}

/**
 * Azure's tool for local endpoints runs the command in its environment: `conda run -n name`. A
 * program may have a path.
 */
function withoutCommand(argv: readonly string[]): readonly string[] {
  const begins = (at: number): readonly string[] | undefined =>
    COMMANDS.find((words) => words.every((word, index) => (index === 0 ? basename(argv[at] ?? '') : argv[at + index]) === word));
  const at = basename(argv[0] ?? '') === 'conda' && argv[1] === 'run' ? argv.findIndex((_, index) => begins(index) !== undefined) : 0;
  return argv.slice(Math.max(0, at) + (begins(at)?.length ?? 0));
}

/**
 * Azure's Python server spells its flags with underscores. A word behind one dash is a wrong flag
 * as a whole, no row of letters.
 */
function spelling(arg: string): string {
  if (arg.startsWith('--')) return arg.replace(/^[^=]*/, (name) => name.replaceAll('_', '-'));
  return /^-[a-z][a-z_-]/i.test(arg) ? `--${arg}` : arg;
}

/** The flag that is missing before an argument. */
function flagFor(value: string): string {
  if (value.endsWith('.onnx')) return `, did you mean --model ${value}?`;
  return /\.(?:[cm]?[tj]s|py)$/.test(value) ? `, did you mean --entry-script ${value}?` : '';
}

function flagRows(): Map<string, Option<unknown>> {
  return new Map(
    optionRows.flatMap((row) => {
      const name = flagOf(row);
      return name === undefined ? [] : [[name, row] as const];
    }),
  );
}

/** What to write instead of a flag that does not exist. */
function insteadOf(name: string, rows: ReadonlyMap<string, Option<unknown>>): string {
  if (name === 'rest') return ": it has no effect in Azure's server either, so leave it out";
  const variable = name.replaceAll('-', '_').toUpperCase();
  const named = optionRows.find((row) => row.env.includes(variable));
  if (named !== undefined) {
    const own = flagOf(named);
    return own === undefined ? `, because others can read flags: set the variable ${variable}` : `, did you mean --${own}?`;
  }
  const near = closest(name, rows.keys()) ?? closestVariable(name) ?? withWordOf(name, Array.from(rows.keys()));
  return near === undefined ? '' : `, did you mean --${near}?`;
}

/**
 * A flag that begins with a word of the name, or the only one that has it: `num-workers` is meant
 * as `worker-count`, `threads` as `ort-intra-op-num-threads`.
 */
function withWordOf(name: string, names: readonly string[]): string | undefined {
  const words = name
    .toLowerCase()
    .split('-')
    .map((word) => word.replace(/s$/, ''));
  const long = words.filter((each) => each.length >= 4);
  const word = long.findLast((each) => names.some((flag) => flag.startsWith(`${each}-`)));
  if (word !== undefined) return names.find((flag) => flag.startsWith(`${word}-`));
  const having = names.filter((flag) => flag.split('-').some((part) => long.includes(part.replace(/s$/, ''))));
  return having.length === 1 ? having[0] : undefined;
}

/** The flag of the variable that is meant most likely. */
function closestVariable(name: string): string | undefined {
  const near = closest(
    name,
    optionRows.flatMap((row) => row.env),
  );
  const row = optionRows.find(({ env }) => near !== undefined && env.includes(near));
  return row && flagOf(row);
}

/**
 * True after an unknown flag, which has its own error. Why: the value may be a secret whose option
 * has no flag.
 */
function isStrayValue(before: { kind: string; name?: string } | undefined, rows: ReadonlyMap<string, unknown>): boolean {
  return before?.kind === 'option' && !rows.has(before.name ?? '');
}
