import { readFunctionApp } from './function-app.ts';
import { BINDINGS_HEADER, type FunctionBindings } from './function-bindings.ts';
import { anyGiven, given, PLAIN, type Platform, type PlatformRoute, type Surroundings } from './platform.ts';

/** A custom handler of the Functions host. */
export const azureFunctions: Platform = {
  ...PLAIN,
  name: 'azure-functions',
  title: 'Azure Functions',
  doc: { signs: '`FUNCTIONS_CUSTOMHANDLER_PORT`', port: 'that of the variable' },
  detect: (around) => anyGiven(around, 'FUNCTIONS_CUSTOMHANDLER_PORT', 'FUNCTIONS_HTTPWORKER_PORT'),
  // Only the Functions host may call: it checks the keys, and runs in the same container.
  values: () => ({ SCORING_HOST: '127.0.0.1' }),
  // App Service sets PORT, which is that of the Functions host.
  fixed: (around) => {
    const port = given(around, 'FUNCTIONS_CUSTOMHANDLER_PORT') ?? given(around, 'FUNCTIONS_HTTPWORKER_PORT');
    return port === undefined ? {} : { PORT: port };
  },
  routes,
  portVariable: 'FUNCTIONS_CUSTOMHANDLER_PORT',
  holds: true,
  idHeader: 'x-azure-functions-invocationid',
};

/**
 * Where the host's requests arrive. A function that it forwards may have a route with parameters,
 * and the case of its path is the client's: every other path is scored there, too.
 */
function routes(around: Surroundings): readonly PlatformRoute[] {
  const folders = [given(around, 'FUNCTIONS_APP_ROOT_PATH'), given(around, 'AzureWebJobsScriptRoot'), around.cwd];
  const functions = readFunctionApp(
    folders.filter((folder) => folder !== undefined),
    around.warn ?? ((): void => undefined),
  );
  if (functions.length === 0) return [{ path: '*', kind: 'azure-function' }];
  const found = functions.map(({ name, bindings, forwardedTo }) =>
    forwardedTo === undefined ? wrapped(name, bindings) : ({ path: forwardedTo, kind: 'score' } as const),
  );
  const forwards = functions.some(({ forwardedTo }) => forwardedTo !== undefined);
  const plain = found.filter(({ path, kind }) => kind !== 'score' || /^[\w./~-]+$/.test(path));
  return forwards ? [...plain, { path: '*', kind: 'score' }] : plain;
}

function wrapped(name: string, bindings: FunctionBindings): PlatformRoute {
  return { path: `/${name}`, kind: 'azure-function', told: [BINDINGS_HEADER, JSON.stringify(bindings)] };
}
