import { options, type Option } from './config.ts';
import { failures } from '../errors.ts';

/** What `--help` prints. */
export function helpText(): string {
  const lines = rows().flatMap((row) => [
    `  ${row.flag === undefined ? '' : `--${row.flag} VALUE, `}${row.env.join(', ')}${shownDefault(row)}`,
    `      ${row.doc}`,
  ]);
  return [
    'Usage: node server/main.ts [serve] [flags]',
    '',
    'Serves POST /score from an entry script (init, run) or an ONNX model. With nothing named, in an empty folder, it serves the sample.',
    'Each option is a flag, an environment variable, or a key of config.json, in this order of precedence.',
    '',
    ...lines,
    '',
  ].join('\n');
}

/** The options as a Markdown table. */
export function optionsTable(): string {
  const body = rows().map(
    (row) =>
      `| ${row.env.map(code).join(', ')} | ${row.flag === undefined ? '' : code(`--${row.flag}`)} | ${code(defaultOf(row))} | ${row.doc} |`,
  );
  return ['| variable, key in config.json | flag | default | meaning |', '|---|---|---|---|', ...body].join('\n');
}

/** The failures that clients see, and those that end the process, as Markdown tables. */
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

function rows(): Option<unknown>[] {
  return Object.values<Option<unknown>>(options);
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
