import { parseArgs } from 'node:util';
import { fileURLToPath } from 'node:url';

export interface Options {
  readonly models: readonly string[] | undefined;
  readonly subjects: readonly string[] | undefined;
  readonly connections: readonly number[] | undefined;
  readonly seconds: number;
  readonly rounds: number;
  readonly quick: boolean;
  /** File of the report; undefined: none is written. */
  readonly output: string | undefined;
}

export const USAGE = `npm run bench -- [options]
  --models NAME,...       only these models
  --subjects NAME,...     only these subjects; together with --models: each on each
  --connections N,...     instead of what the plan has
  --seconds N             of load for each measurement (5)
  --rounds N              how often all of it is repeated (3)
  --quick                 one round of one second at 32 connections (8 for large models): does everything work?
  --output FILE           report in Markdown (bench/results.md; with --quick, --models or --subjects: none)
`;

const DEFAULT_OUTPUT = fileURLToPath(new URL('./results.md', import.meta.url));

/** @returns undefined for --help @throws Error that names the wrong option */
export function readOptions(args: readonly string[]): Options | undefined {
  const { values } = parseArgs({
    args: [...args],
    options: {
      models: { type: 'string' },
      subjects: { type: 'string' },
      connections: { type: 'string' },
      seconds: { type: 'string' },
      rounds: { type: 'string' },
      quick: { type: 'boolean', default: false },
      output: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return undefined;
  const { quick } = values;
  const [models, subjects] = [values.models?.split(','), values.subjects?.split(',')];
  const complete = !quick && models === undefined && subjects === undefined;
  return {
    models,
    subjects,
    connections: values.connections?.split(',').map((text) => positive('--connections', text)),
    seconds: positive('--seconds', values.seconds ?? (quick ? '1' : '5')),
    rounds: positive('--rounds', values.rounds ?? (quick ? '1' : '3')),
    quick,
    output: values.output ?? (complete ? DEFAULT_OUTPUT : undefined),
  };
}

function positive(name: string, text: string): number {
  const number = Number(text);
  if (!Number.isInteger(number) || number < 1) throw new Error(`${name}: expected a whole number from 1, got ${text}`);
  return number;
}
