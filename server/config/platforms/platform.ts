import type { ProfileName } from './names.ts';

/** What a start shows of its surroundings. */
export interface Surroundings {
  /** Arguments after the file name. */
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly isFolder: (path: string) => boolean;
  /** A user's own option names the script, the model or its folder. Absent: none does. */
  readonly isServed?: boolean;
  /** Names of what is in a folder; none if there is nothing, or it cannot be read. */
  readonly namesIn: (path: string) => readonly string[];
  /** Takes a warning for the log; undefined: nobody reads it. */
  readonly warn?: ((text: string) => void) | undefined;
}

/** What a route answers. `http/platform-routes.ts` has the handler of each. */
export type RouteKind =
  /** As `/score`. */
  | 'score'
  /** `{"instances": [...]}` to `{"predictions": [...]}`: KServe V1 and Vertex AI. */
  | 'instances'
  /** Bodies of several content types: SageMaker. */
  | 'invocations'
  /** `{"Data": ...}` to `{"Outputs": ..., "ReturnValue": ...}`: Azure Functions. */
  | 'azure-function'
  | 'live'
  | 'ready'
  /** 200 without a body once it is ready. */
  | 'ping'
  | 'execution-parameters'
  /** 404, because this server serves one model. */
  | 'several-models'
  | 'model-list'
  | 'model-state';

/** A route that only this platform has. */
export interface PlatformRoute {
  /**
   * As logs and metrics show it. `:model` is the name of the model, which is checked. `*`: every
   * path that has no other route.
   */
  readonly path: string;
  /** Of the router, where it differs from the path. */
  readonly pattern?: string;
  /**
   * The path is the platform's own: it is matched as it is, and comes before all other routes. A
   * kind that scores takes only POST from them.
   */
  readonly literal?: true;
  readonly kind: RouteKind;
  /** Headers that a worker gets before those of the request: name, value, name, value, ... */
  readonly told?: readonly string[];
}

/** The ports that the options name. */
export interface Ports {
  readonly main: number;
  /** By their variables; 0: it is not opened. */
  readonly second: Readonly<Record<string, number>>;
}

/** What a platform says of its batch job. Undefined: nothing. */
export interface BatchJob {
  /** Requests at a time. */
  readonly concurrency: number | undefined;
  /** Whether a request has several records. */
  readonly strategy: 'MULTI_RECORD' | 'SINGLE_RECORD' | undefined;
}

/** How long a container may take to its first answer that counts. */
export interface StartLimit {
  /** Variable or setting that changes it. */
  readonly variable: string;
  readonly ms: number;
}

/** One platform: a row of the table. Nothing else asks on which one the server runs. */
export interface Platform {
  readonly name: ProfileName;
  /** As its maker spells it. */
  readonly title: string;
  /** For the table of docs/platforms.md: what `detect` looks at, and the port. */
  readonly doc: { readonly signs: string; readonly port: string };
  /** What shows that the server runs there, for the log; undefined: nothing does. */
  readonly detect: (around: Surroundings) => string | undefined;
  /**
   * Values of options, by the name of their variable. What a user gives wins.
   * @throws ServerError usage
   */
  readonly values: (around: Surroundings) => Readonly<Record<string, string>>;
  /**
   * Values that only the platform knows: they win over variables, and flags win over them.
   * @throws ServerError usage
   */
  readonly fixed: (around: Surroundings) => Readonly<Record<string, string>>;
  readonly routes: (around: Surroundings) => readonly PlatformRoute[];
  /** Folders that are searched for an entry script after those of the application. */
  readonly scriptFolders: readonly string[];
  /** What a user has to know of the variables and options there, for the log. */
  readonly warnings: (around: Surroundings, ports: Ports) => readonly string[];
  /** Facts of a batch job, where the platform runs one. */
  readonly batch: (around: Surroundings) => BatchJob | undefined;
  /** A request that comes before the workers are ready waits for them, in place of 503. */
  readonly holds: boolean;
  /** Header with the id of a request, in lower case; `x-request-id` comes before it. */
  readonly idHeader: string | undefined;
  /** What collects model data there by itself; undefined: nothing does. */
  readonly collects: string | undefined;
  /** Nobody serves the sample there: what is to be served is missing. */
  readonly names: boolean;
  /** Variable that chooses the port there, for errors and advice. */
  readonly portVariable: string;
  /**
   * What asks for a key in front of this server: the endpoint, for a Bearer; or nothing, so that
   * strangers reach the port. Undefined: it is not known.
   */
  readonly front: 'bearer' | 'nothing' | undefined;
  /** Undefined: an answer of any status counts, or nothing is known. */
  readonly startLimit: (around: Surroundings) => StartLimit | undefined;
  /** The command of this server that takes what the platform sends; undefined: `serve`. */
  readonly command: string | undefined;
}

/** A row without anything of its own. */
export const PLAIN = {
  values: (): Readonly<Record<string, string>> => ({}),
  fixed: (): Readonly<Record<string, string>> => ({}),
  routes: (): readonly PlatformRoute[] => [],
  scriptFolders: [] as readonly string[],
  warnings: (): readonly string[] => [],
  batch: (): BatchJob | undefined => undefined,
  holds: false,
  idHeader: undefined,
  collects: undefined,
  names: true,
  portVariable: 'PORT',
  front: undefined,
  startLimit: (): StartLimit | undefined => undefined,
  command: undefined,
} as const;

/** The value of a variable, or undefined where it is unset or empty. */
export function given({ env }: Pick<Surroundings, 'env'>, name: string): string | undefined {
  const value = env[name];
  return value === '' ? undefined : value;
}

/** True for a path as the first line of a request has it: RFC 3986, section 3.3. */
export function isRequestPath(path: string): boolean {
  return /^\/(?:[\w.~!$&'()*+,;=:@/-]|%[\dA-F]{2})*$/i.test(path);
}

/**
 * A warning for a port that the platform does not call.
 * @param main 0: any free one
 * @param called NaN: the platform's value is wrong
 */
export function otherPort(title: string, main: number, called: number): string[] {
  return main === called || main === 0 || Number.isNaN(called) ? [] : [`PORT=${main}: ${title} calls only port ${called}`];
}

/** Says which of the variables is set, for `Platform.detect`. */
export function anyGiven(around: Surroundings, ...names: readonly string[]): string | undefined {
  const found = names.find((name) => given(around, name) !== undefined);
  return found === undefined ? undefined : `${found} is set`;
}
