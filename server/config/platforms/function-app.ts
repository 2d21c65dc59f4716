import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { bindingsOf, type FunctionBindings, isForwardable, isMembers } from './function-bindings.ts';

/** A function of a function app. */
export interface AppFunction {
  readonly name: string;
  readonly bindings: FunctionBindings;
  /**
   * The path at which the host's requests arrive, where it forwards them as they came; undefined:
   * they come to `/<name>`, in the envelope.
   */
  readonly forwardedTo: string | undefined;
}

const LONGEST_FILE = 1024 * 1024;
const MOST_FUNCTIONS = 200;
/** What the Functions host takes as the name of a function. */
const NAME = /^[A-Za-z][A-Za-z0-9_-]{0,127}$/;
/** The route prefix of the Functions host where host.json names none. */
const PREFIX = 'api';

/**
 * The functions of the first folder that is a function app.
 * @param warn gets a line for each file that cannot be used
 */
export function readFunctionApp(folders: readonly string[], warn: (text: string) => void): readonly AppFunction[] {
  const root = folders.find((folder) => isFile(join(folder, 'host.json')));
  if (root === undefined) return [];
  const { forwards, prefix } = hostOf(join(root, 'host.json'), warn);
  return foldersOf(root, warn).flatMap((name) => {
    const file = join(root, name, 'function.json');
    if (!NAME.test(name) || !isFile(file)) return [];
    const found = readable(file, warn, (json) => ({ bindings: bindingsOf(json), route: routeOf(json) ?? name }));
    if (found === undefined) return [];
    const { bindings, route } = found;
    const path = `/${[prefix, route].flatMap((part) => part.split('/').filter((each) => each !== '')).join('/')}`;
    return [{ name, bindings, forwardedTo: forwards && isForwardable(bindings) ? path : undefined }];
  });
}

interface HostFile {
  readonly forwards: boolean;
  readonly prefix: string;
}

function hostOf(file: string, warn: (text: string) => void): HostFile {
  const member = (value: unknown, name: string): unknown => (isMembers(value) ? value[name] : undefined);
  const read = (json: unknown): HostFile => {
    const handler = member(json, 'customHandler');
    const prefix = member(member(member(json, 'extensions'), 'http'), 'routePrefix');
    return {
      forwards: member(handler, 'enableForwardingHttpRequest') === true || member(handler, 'enableProxyingHttpRequest') === true,
      prefix: typeof prefix === 'string' ? prefix : PREFIX,
    };
  };
  return readable(file, warn, read) ?? { forwards: false, prefix: PREFIX };
}

function foldersOf(root: string, warn: (text: string) => void): string[] {
  try {
    const names = readdirSync(root).toSorted();
    if (names.length > MOST_FUNCTIONS) warn(`${root}: only the first ${MOST_FUNCTIONS} of its ${names.length} entries are looked at`);
    return names.slice(0, MOST_FUNCTIONS);
  } catch (thrown) {
    warn(`${root} cannot be read: ${textOf(thrown)}`);
    return [];
  }
}

/** The route that a trigger names. */
function routeOf(json: unknown): string | undefined {
  const bindings = isMembers(json) && Array.isArray(json['bindings']) ? json['bindings'] : [];
  const routes = bindings.flatMap((each: unknown) => (isMembers(each) && typeof each['route'] === 'string' ? [each['route']] : []));
  return routes[0];
}

/** What is made of a file of JSON; undefined, and a warning that names it, if it is broken. */
function readable<Made>(file: string, warn: (text: string) => void, make: (json: unknown) => Made): Made | undefined {
  try {
    const { size } = statSync(file);
    if (size > LONGEST_FILE) throw new Error(`expected at most ${LONGEST_FILE} bytes, got ${size}`);
    const json: unknown = JSON.parse(readFileSync(file, 'utf8').replace(/^\uFEFF/, ''));
    return make(json);
  } catch (thrown) {
    warn(`${file} cannot be used: ${textOf(thrown)}. Write it again with the command functions (docs/azure-functions.md)`);
    return undefined;
  }
}

function isFile(path: string): boolean {
  try {
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

function textOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
