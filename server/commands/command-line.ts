import { type CommandDoc, helpText } from '../config/usage.ts';
import { ServerError } from '../errors.ts';
import { closest } from '../guards/closest.ts';
import type { HostProcess } from '../host/host-server.ts';
import { refuseStart } from './refuse-start.ts';
import { serve } from './serve.ts';

/**
 * A command.
 * @param args those behind its name
 */
type Command = (host: HostProcess, args: readonly string[]) => Promise<void>;

interface CommandRow extends CommandDoc {
  readonly load: () => Promise<Command>;
}

/** The commands besides `serve` and `help`, one file each. Each is loaded by its name. */
const commands: readonly CommandRow[] = [
  {
    name: 'functions',
    summary: 'writes the files of a function app for Azure Functions',
    load: async () => (await import('./functions.ts')).functions,
  },
  {
    name: 'iot-edge',
    summary: 'a module of IoT Edge: scores the messages of an input',
    load: async () => (await import('./iot-edge.ts')).iotEdge,
  },
  { name: 'batch', summary: 'scores files or JSON lines, without a port', load: async () => (await import('./batch.ts')).batch },
];

/** All commands, for the help. */
const docs: readonly CommandDoc[] = [
  { name: 'serve', summary: 'serves POST /score, as without a command' },
  ...commands,
  { name: 'help', summary: 'shows this text, or that of a command: help batch' },
];

/** The command line: the command that its first word names, or the server. */
export async function main(host: HostProcess): Promise<void> {
  const [, , name = '', ...args] = host.argv;
  if (name === 'help') return help(host, args[0]);
  const row = commands.find((each) => each.name === name);
  if (row !== undefined) return (await row.load())(host, args);
  const meant = misspelt(name);
  if (meant !== undefined) return refuseStart(host, unknownCommand(name, meant));
  return serve(host, docs);
}

async function help(host: HostProcess, name: string | undefined): Promise<void> {
  const row = commands.find((each) => each.name === name);
  if (row !== undefined) return (await row.load())(host, ['--help']);
  if (name === undefined || name === '--help' || name === '-h' || docs.some((each) => each.name === name))
    return void host.stdout.write(helpText(docs));
  return refuseStart(host, unknownCommand(name, misspelt(name)));
}

/** The command that a word means which is none: other first words are those of platforms. */
function misspelt(word: string): string | undefined {
  if (!/^[a-z][a-z_-]*$/i.test(word)) return undefined;
  const near = closest(
    word,
    docs.map((each) => each.name),
  );
  return near === word ? undefined : near;
}

function unknownCommand(name: string, meant: string | undefined): ServerError {
  const advice = meant === undefined ? '' : `, did you mean ${meant}?`;
  return new ServerError('usage', `command ${name}: there is no such command${advice} (see --help)`);
}
