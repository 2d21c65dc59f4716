import { parseArgs } from 'node:util';
import { ServerError } from '../errors.ts';
import { closest } from '../guards/closest.ts';
import { excerpt } from '../guards/excerpt.ts';

/** A flag of a command. */
interface Flag {
  /** Shown behind the flag in `--help`; undefined: it takes no value. */
  readonly value?: string;
  readonly doc: string;
}

/** Flags by name, without the dashes. */
export type Flags = Readonly<Record<string, Flag>>;

/** Given values by the name of their flag. That of a flag without a value is an empty text. */
export type GivenFlags = ReadonlyMap<string, string>;

/**
 * The given flags; `help` is one of them. Underscores count as dashes.
 * @throws ServerError usage, with a line for each wrong flag
 */
export function readCommandFlags(flags: Flags, args: readonly string[]): GivenFlags {
  const known: Flags = { ...flags, help: { doc: '' } };
  const { tokens } = parseArgs({
    args: args.map((arg) => (arg.startsWith('--') ? arg.replace(/^[^=]*/, (name) => name.replaceAll('_', '-')) : arg)),
    options: Object.fromEntries(
      Object.entries(known).map(([name, { value }]) => [name, { type: value === undefined ? 'boolean' : 'string' }]),
    ),
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const given = new Map<string, string>();
  const problems: string[] = [];
  for (const [index, token] of tokens.entries()) {
    const before = tokens[index - 1];
    // The value of a wrong flag, which has its own error.
    const isStray = before?.kind === 'option' && !Object.hasOwn(known, before.name);
    if (token.kind === 'positional' && !isStray)
      problems.push(`argument ${JSON.stringify(excerpt(token.value))}: expected only flags (see --help)`);
    if (token.kind !== 'option') continue;
    const flag = Object.hasOwn(known, token.name) ? known[token.name] : undefined;
    if (flag === undefined)
      problems.push(`${excerpt(token.rawName)}: there is no such flag${meant(token.name, Object.keys(known))} (see --help)`);
    else if (flag.value === undefined && token.value !== undefined) problems.push(`${token.rawName}: expected no value after it`);
    else if (flag.value !== undefined && (token.value ?? '') === '') problems.push(`${token.rawName}: expected a value after it`);
    else if (given.has(token.name)) problems.push(`${token.rawName}: expected once, got twice`);
    else given.set(token.name, token.value ?? '');
  }
  if (problems.length > 0 && !given.has('help')) throw new ServerError('usage', problems.join('\n'));
  return given;
}

/** The nearest name, as the end of an error. */
export function meant(name: string, names: readonly string[], dashes = '--'): string {
  const near = closest(name, names);
  return near === undefined ? '' : `, did you mean ${dashes}${near}?`;
}

/** The text of `--help`. */
export function commandHelp(usage: string, about: string, flags: Flags): string {
  const rows = Object.entries(flags).map(([name, { value, doc }]) => `  --${name}${value === undefined ? '' : ` ${value}`}\n      ${doc}`);
  return [`Usage: ${usage}`, '', about, '', ...rows, ''].join('\n');
}
