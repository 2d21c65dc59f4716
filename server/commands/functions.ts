import { existsSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { ServerError } from '../errors.ts';
import { excerpt } from '../guards/excerpt.ts';
import type { HostProcess } from '../host/host-server.ts';
import { makeFolderLater } from '../system/make-folder.ts';
import { commandHelp, type Flags, type GivenFlags, meant, readFlags } from './flags.ts';
import { AUTH_LEVELS, CONNECTION, type FunctionPlan, functionFiles, type Trigger, TRIGGERS } from './function-files.ts';
import { refuseStart } from './refuse-start.ts';

const FLAGS: Flags = {
  trigger: { value: TRIGGERS.join('|'), doc: 'What starts the function.' },
  'auth-level': { value: AUTH_LEVELS.join('|'), doc: 'http: whose key a caller needs (default function).' },
  'input-path': { value: 'PATH', doc: 'blob: container and name of the blobs, as input/{blobname}.json' },
  'output-path': { value: 'PATH', doc: 'blob: where the answers go, as output/{blobname}_out.json' },
  'input-queue': { value: 'NAME', doc: 'service-bus-queue: the queue of the messages.' },
  'output-queue': { value: 'NAME', doc: 'service-bus-queue: the queue of the answers.' },
  binary: { doc: 'blob, service-bus-queue: the data is bytes, of images say, and no text.' },
  name: { value: 'NAME', doc: 'Name of the function, and of its folder (default score).' },
  'output-dir': { value: 'FOLDER', doc: 'Where the files are written (default: the current folder).' },
  force: { doc: 'Replaces files that are there.' },
};

/** Flags that only some triggers have; the needed ones are marked. */
const OWN: Readonly<Record<Trigger, Readonly<Record<string, 'needed' | 'may'>>>> = {
  http: { 'auth-level': 'may' },
  blob: { 'input-path': 'needed', 'output-path': 'needed', binary: 'may' },
  'service-bus-queue': { 'input-queue': 'needed', 'output-queue': 'needed', binary: 'may' },
};

const ABOUT = `Writes host.json and <name>/function.json, with which the host of Azure Functions starts this server.
docs/azure-functions.md has the way to an image and an app.`;
/** https://learn.microsoft.com/azure/azure-functions: a letter, then letters, digits, _ and -. */
const FUNCTION_NAME = /^[A-Za-z][A-Za-z0-9_-]{0,127}$/;
/** A container of blobs, and a path in it that may have `{parts}`. */
const BLOB_PATH = /^[a-z0-9](?:[a-z0-9-]{1,61}[a-z0-9])\/[^\p{Cc}\\?#]{1,900}$/u;
const QUEUE_NAME = /^[A-Za-z0-9](?:[A-Za-z0-9._/-]{0,258}[A-Za-z0-9])?$/;

/** Writes the files of a function app. */
export async function functions(host: HostProcess, args: readonly string[]): Promise<void> {
  try {
    const { given, help } = readFlags(FLAGS, args);
    if (help) return void host.stdout.write(commandHelp('node server/main.ts functions --trigger ... [flags]', ABOUT, FLAGS));
    const plan = planOf(given);
    const folder = resolve(host.cwd(), given.get('output-dir') ?? '');
    const written = await writeFiles(folder, functionFiles(plan), given.has('force'));
    host.stdout.write(written.map((file) => `wrote ${file}\n`).join('') + next(plan));
  } catch (thrown) {
    refuseStart(host, thrown, 'scoring-server functions');
  }
}

/** @throws ServerError usage, with a line for each problem */
function planOf(given: GivenFlags): FunctionPlan {
  const trigger = oneOf('trigger', TRIGGERS, given.get('trigger'));
  const problems: string[] = [];
  const check = (name: string, pattern: RegExp, expected: string): string => {
    const value = given.get(name) ?? '';
    if (value !== '' && !pattern.test(value)) problems.push(`--${name}: expected ${expected}, got ${JSON.stringify(excerpt(value))}`);
    return value;
  };
  for (const [name, use] of Object.entries(OWN[trigger]))
    if (use === 'needed' && !given.has(name))
      problems.push(`--${name}: expected ${FLAGS[name]?.value ?? ''}, because the trigger is ${trigger}`);
  const others = new Set(Object.values(OWN).flatMap((own) => Object.keys(own)));
  for (const name of given.keys())
    if (others.has(name) && !(name in OWN[trigger]))
      problems.push(`--${name}: the trigger ${trigger} has no such flag. ${ownFlags(trigger)}`);
  if (given.has('name')) check('name', FUNCTION_NAME, 'a letter, then at most 127 letters, digits, - and _');
  const name = given.get('name') ?? 'score';
  const [input, output] =
    trigger === 'blob'
      ? ['input-path', 'output-path'].map((flag) => check(flag, BLOB_PATH, '<container>/<name of the blob>, as input/{blobname}.json'))
      : ['input-queue', 'output-queue'].map((flag) => check(flag, QUEUE_NAME, 'the name of a queue of Service Bus'));
  if (trigger !== 'http' && input !== '' && input === output)
    problems.push(`expected two places, got ${input} as input and as output: each answer would be scored`);
  if (problems.length > 0) throw new ServerError('usage', problems.join('\n'));
  if (trigger === 'http') return { trigger, name, authLevel: oneOf('auth-level', AUTH_LEVELS, given.get('auth-level') ?? 'function') };
  return { trigger, name, input: input ?? '', output: output ?? '', binary: given.has('binary') };
}

function ownFlags(trigger: Trigger): string {
  return `It has ${Object.keys(OWN[trigger])
    .map((name) => `--${name}`)
    .join(', ')}`;
}

/** @throws ServerError usage */
function oneOf<Name extends string>(flag: string, names: readonly Name[], value: string | undefined): Name {
  const wanted = value?.toLowerCase().replaceAll('_', '-');
  const found = names.find((name) => name === wanted);
  if (found !== undefined) return found;
  const got = value === undefined ? 'nothing' : JSON.stringify(excerpt(value));
  throw new ServerError('usage', `--${flag}: expected ${names.join(', ')}, got ${got}${meant(value ?? '', names, '')}`);
}

/**
 * Writes all files or none. Each is complete before it gets its name.
 * @throws ServerError usage
 */
async function writeFiles(folder: string, files: ReadonlyMap<string, string>, force: boolean): Promise<string[]> {
  const all = Array.from(files, ([path, text]) => ({ path: join(folder, path), text }));
  // Functions of one app share host.json.
  const there = all.filter(({ path, text }) => isOther(path, text));
  if (!force && there.length > 0)
    throw new ServerError('usage', `${there.map(({ path }) => path).join(', ')}: expected no other file of that name. --force replaces it`);
  const parts = all.map(({ path, text }) => ({ path, part: `${path}.part`, text }));
  try {
    for (const { path, part, text } of parts) {
      await makeFolderLater(dirname(path));
      writeFileSync(part, text);
    }
    for (const { path, part } of parts) renameSync(part, path);
  } catch (thrown) {
    for (const { part } of parts) if (existsSync(part)) rmSync(part);
    throw new ServerError(
      'usage',
      `expected a folder where files can be written: ${thrown instanceof Error ? thrown.message : String(thrown)}`,
    );
  }
  return all.map(({ path }) => path);
}

/** Something else is there. */
function isOther(path: string, text: string): boolean {
  if (!existsSync(path)) return false;
  return !statSync(path).isFile() || readFileSync(path, 'utf8') !== text;
}

function next({ trigger }: FunctionPlan): string {
  const setting =
    trigger === 'http'
      ? ''
      : `Set the app setting ${CONNECTION} to the connection string of its ${trigger === 'blob' ? 'storage' : 'Service Bus'}.\n`;
  return `${setting}Build the image with docker/functions.Dockerfile (docs/azure-functions.md).\n`;
}
