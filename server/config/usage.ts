import { optionGroups, type Option } from './config.ts';
import { failures } from '../errors.ts';
import { flagOf } from './option-values.ts';

/** Columns of `--help`. */
const COLUMNS = 100;

/**
 * The text of `--help`.
 * @param commands the names of the commands and what each does
 */
export function helpText(commands: readonly CommandDoc[] = []): string {
  const groups = optionGroups.flatMap(({ title, rows }) => [
    `${title}:`,
    ...rows.flatMap((row) => [
      wrapped(`${shownFlag(row)}${row.env.join(', ')}${shownDefault(row)}`, '  '),
      wrapped(meaningOf(row), '      '),
    ]),
    '',
  ]);
  return [
    'Usage: node server/main.ts [command] [flags]',
    '',
    wrapped(
      'Serves POST /score from an entry script (init, run) or an ONNX model. An empty folder serves the sample, if nothing is named.',
    ),
    wrapped(
      'Every option is a flag, an environment variable and a key of config.json. A secret has no flag, except for a key that Azure ML passes as one: other users can read flags. A flag comes first, then the variable, then config.json.',
    ),
    '',
    ...commandLines(commands),
    ...groups,
    ...exitCodeLines(),
    '',
  ].join('\n');
}

/** A command, as `--help` shows it. */
export interface CommandDoc {
  readonly name: string;
  readonly summary: string;
}

function commandLines(commands: readonly CommandDoc[]): string[] {
  if (commands.length === 0) return [];
  const width = Math.max(...commands.map(({ name }) => name.length));
  return ['Commands:', ...commands.map(({ name, summary }) => `  ${name.padEnd(width)}  ${summary}`), ''];
}

/** The exit codes and their failures. */
function exitCodeLines(): string[] {
  const byCode = Map.groupBy(Object.values(failures), ({ exitCode = 0 }) => exitCode);
  const ending = [...byCode].filter(([exitCode]) => exitCode > 0).toSorted(([one], [other]) => one - other);
  return [
    'Exit codes:',
    '  0  drained, or the command is done',
    ...ending.flatMap(([exitCode, rows]) => rows.map(({ doc }) => wrapped(`${exitCode}  ${doc}`, '  '))),
  ];
}

function shownFlag(row: Option<unknown>): string {
  const name = flagOf(row);
  return name === undefined ? '' : `--${name} VALUE, `;
}

function wrapped(text: string, indent = ''): string {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const line = lines.at(-1);
    if (line === undefined || indent.length + line.length + 1 + word.length > COLUMNS) lines.push(word);
    else lines[lines.length - 1] = `${line} ${word}`;
  }
  return lines.map((line) => indent + line).join('\n');
}

/** The options as Markdown: one table under each heading. */
export function optionsTable(): string {
  return optionGroups
    .map(({ title, rows }) =>
      [
        `## ${title}`,
        '',
        '| variable, key in config.json | flag | default | meaning |',
        '|---|---|---|---|',
        ...rows.map(
          (row) =>
            `| ${row.env.map(code).join(', ')} | ${code(flagOf(row) === undefined ? '' : `--${flagOf(row)}`)} | ${code(defaultOf(row))} | ${meaningOf(row)} |`,
        ),
      ].join('\n'),
    )
    .join('\n\n');
}

/** Two Markdown tables: the failures that clients get, and those that end the process. */
export function failuresTable(): string {
  const all = Object.entries(failures).map(([name, failure]) => ({ name, ...failure }));
  const answers = all
    .filter((row) => row.status !== undefined)
    .map((row) => `| ${row.status} | ${code(row.name)} | ${row.fault} | ${row.doc} |`);
  const exits = all
    .filter((row) => row.exitCode !== undefined)
    .map((row) => `| ${row.exitCode} | ${code(row.name)} | ${row.fault} | ${row.doc} |`);
  return [
    '| status | code | whose fault | when |',
    '|---|---|---|---|',
    ...answers,
    '',
    '| exit code | code | whose fault | when |',
    '|---|---|---|---|',
    ...exits,
  ].join('\n');
}

function meaningOf({ doc, secret }: Option<unknown>): string {
  return secret === true ? `${doc} Secret.` : doc;
}

function defaultOf({ default: value }: Option<unknown>): string {
  const shown: unknown = value === undefined ? '' : value;
  return Array.isArray(shown) ? shown.join(',') : String(shown);
}

function shownDefault(row: Option<unknown>): string {
  const text = defaultOf(row);
  return text === '' ? '' : ` (default ${text})`;
}

function code(text: string): string {
  return text === '' ? '' : `\`${text}\``;
}
