import type { ProfileName } from './names.ts';

/** What a start shows of its surroundings. */
export interface Surroundings {
  /** Arguments after the file name. */
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly isFolder: (path: string) => boolean;
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
  | 'model-list'
  | 'model-state';

/** A route that only this platform has. */
export interface PlatformRoute {
  /** A pattern of the router: `:model` is the name of the model, which is checked. */
  readonly path: string;
  readonly kind: RouteKind;
}

/** One platform: a row of the table. Nothing else asks on which one the server runs. */
export interface Platform {
  readonly name: ProfileName;
  /** As its maker spells it. */
  readonly title: string;
  /** What shows that the server runs there, for the log; undefined: nothing does. */
  readonly detect: (around: Surroundings) => string | undefined;
  /**
   * Values of options, by the name of their variable. What a user gives wins.
   * @throws ServerError usage
   */
  readonly values: (around: Surroundings) => Readonly<Record<string, string>>;
  readonly routes: (around: Surroundings) => readonly PlatformRoute[];
  /** A request that comes before the workers are ready waits for them, in place of 503. */
  readonly holds: boolean;
  /** What collects model data there by itself; undefined: nothing does. */
  readonly collects: string | undefined;
  /** Nobody serves the sample there: what is to be served is missing. */
  readonly names: boolean;
  /** The command of this server that takes what the platform sends; undefined: `serve`. */
  readonly command: string | undefined;
}

/** A row without anything of its own. */
export const PLAIN = {
  values: (): Readonly<Record<string, string>> => ({}),
  routes: (): readonly PlatformRoute[] => [],
  holds: false,
  collects: undefined,
  names: true,
  command: undefined,
} as const;

/** The value of a variable, or undefined where it is unset or empty. */
export function given({ env }: Pick<Surroundings, 'env'>, name: string): string | undefined {
  const value = env[name];
  return value === '' ? undefined : value;
}

/** Says which of the variables is set, for `Platform.detect`. */
export function anyGiven(around: Surroundings, ...names: readonly string[]): string | undefined {
  const found = names.find((name) => given(around, name) !== undefined);
  return found === undefined ? undefined : `${found} is set`;
}
