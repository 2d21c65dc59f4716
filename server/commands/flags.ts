import { ServerError } from '../errors.ts';
import { withoutKeys } from '../guards/addresses.ts';
import { closest } from '../guards/closest.ts';
import { excerpt } from '../guards/excerpt.ts';

/** A flag of a command. */
interface Flag {
  /** Shown behind the flag in `--help`; undefined: it takes no value. */
  readonly value?: string;
  readonly doc: string;
}

/** Flags by name, without the dashes. */
export type Flags<Name extends string = string> = Readonly<Record<Name, Flag>>;

/** Given values by the name of their flag. That of a flag without a value is an empty text. */
export type GivenFlags<Name extends string = string> = ReadonlyMap<Name, string>;

interface Taken<Name extends string> {
  readonly given: GivenFlags<Name>;
  /** Arguments that are none of the command's flags, in their order. */
  readonly rest: readonly string[];
  /** The user asks for the text of `--help`. */
  readonly help: boolean;
}

/**
 * Takes the flags of a command out of its arguments. Underscores count as dashes.
 * @throws ServerError usage, with a line for each wrong flag
 */
export function takeFlags<Name extends string>(flags: Flags<Name>, args: readonly string[]): Taken<Name> {
  return checked(taken(flags, args));
}

/**
 * The flags of a command that takes no other arguments.
 * @throws ServerError usage, with a line for each wrong argument
 */
export function readFlags<Name extends string>(flags: Flags<Name>, args: readonly string[]): Taken<Name> {
  const found = taken(flags, args);
  const strays = found.rest.flatMap((arg, index) => strayProblem(flags, arg, found.rest[index - 1]));
  return checked({ ...found, problems: [...found.problems, ...strays] });
}

type Unchecked<Name extends string> = Taken<Name> & { readonly problems: readonly string[] };

function checked<Name extends string>({ problems, ...found }: Unchecked<Name>): Taken<Name> {
  if (problems.length > 0 && !found.help) throw new ServerError('usage', problems.join('\n'));
  return found;
}

function taken<Name extends string>(flags: Flags<Name>, args: readonly string[]): Unchecked<Name> {
  const given = new Map<Name, string>();
  const rest: string[] = [];
  const problems: string[] = [];
  let help = false;
  for (let at = 0; at < args.length; at++) {
    const arg = args[at] ?? '';
    const [, spelt = '', joined] = /^--([^=]+)(?:=(.*))?$/s.exec(arg) ?? [];
    const name = spelt.replaceAll('_', '-');
    if (name === 'help' || arg === '-h') help = true;
    else if (!isNameOf(flags, name)) rest.push(arg);
    else {
      const isSwitch = flags[name].value === undefined;
      // Two dashes begin the next flag. One dash is a stream, or a negative number.
      const follows = !isSwitch && joined === undefined && args[at + 1]?.startsWith('--') === false;
      const value = joined ?? (follows ? args[++at] : undefined) ?? '';
      if (isSwitch && joined !== undefined) problems.push(`--${name}: expected no value after it`);
      else if (!isSwitch && value === '') problems.push(`--${name}: expected a value after it`);
      else if (given.has(name)) problems.push(`--${name}: expected once, got twice`);
      else given.set(name, value);
    }
  }
  return { given, rest, help, problems };
}

/** @param before the argument before it */
function strayProblem(flags: Flags, arg: string, before: string | undefined): string[] {
  const isFlag = (text: string | undefined): boolean => text?.startsWith('-') === true && text !== '-';
  if (isFlag(arg)) {
    const [name = ''] = arg.split('=');
    return [`${excerpt(name)}: there is no such flag${meant(name, Object.keys(flags))} (see --help)`];
  }
  // The value of a wrong flag, which has its own error.
  if (isFlag(before) && before?.includes('=') === false) return [];
  return [`argument ${JSON.stringify(excerpt(withoutKeys(arg)))}: expected only flags (see --help)`];
}

function isNameOf<Name extends string>(flags: Flags<Name>, name: string): name is Name {
  return Object.hasOwn(flags, name);
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
