import { accessOptions } from './access-options.ts';
import { collectionOptions } from './collection-options.ts';
import { modelOptions } from './model-options.ts';
import { networks } from './networks.ts';
import {
  flag,
  headerValue,
  integer,
  list,
  logLevel,
  milliseconds,
  modelName,
  oneOf,
  option,
  someOf,
  text,
  type LogLevel,
  type Option,
  type OptionRows,
} from './option-values.ts';
import { PROFILE_NAMES, type ProfileName } from './platforms/names.ts';
import { requestOptions } from './request-options.ts';
import { rightsOptions } from './rights-options.ts';
import { telemetryOptions } from './telemetry-options.ts';

export type { Option };

/** A title, as in Azure's server. */
export const DEFAULT_SERVICE_NAME = 'ML service';

const served = {
  entryScript: option({
    env: ['AZUREML_ENTRY_SCRIPT'],
    flag: 'entry-script',
    default: '',
    parse: text,
    doc: 'Path of the entry script, absolute or below `AML_APP_ROOT`. Unset: `main.*`, then `score.*` there.',
  }),
  model: option({ env: ['MODEL_FILE'], flag: 'model', default: '', parse: text, doc: 'An `.onnx` file to serve without an entry script.' }),
  modelDir: option({
    env: ['AZUREML_MODEL_DIR'],
    flag: 'model-dir',
    default: '',
    parse: text,
    doc: 'Folder of the models, or one model file. Relative paths start at the current folder.',
  }),
  modelName: option({
    env: ['MODEL_NAME'],
    flag: 'model-name',
    default: '',
    parse: modelName,
    doc: 'Model name in the Open Inference Protocol. Unset: file name of the model or script, without extension.',
  }),
  appRoot: option({
    env: ['AML_APP_ROOT'],
    flag: 'app-root',
    default: '',
    parse: text,
    doc: 'Folder of the application: the server looks there for the script, the model and config.json. Unset: the current one.',
  }),
  sourceDirectory: option({
    env: ['AZUREML_SOURCE_DIRECTORY'],
    flag: 'source-directory',
    default: '',
    parse: text,
    doc: 'Folder below `AML_APP_ROOT`, searched first for the entry script and for modules that it imports by name.',
  }),
  configFile: option({
    env: ['AZUREML_CONFIG_FILE'],
    flag: 'config-file',
    default: '',
    parse: text,
    doc: 'JSON file of options. Unset: `config.json` in `AML_APP_ROOT`, then beside the named entry script.',
  }),
} satisfies OptionRows;

const addresses = {
  profile: option<ProfileName | 'auto'>({
    env: ['SCORING_PROFILE'],
    flag: 'profile',
    default: 'auto',
    parse: oneOf('auto', ...PROFILE_NAMES),
    doc: 'The platform whose port, routes and model folder the server takes. `auto`: the one that shows itself.',
  }),
  port: option({
    env: ['PORT'],
    flag: 'port',
    default: 5001,
    parse: integer(0, 65535),
    doc: 'Port of all HTTP routes. 0 takes any free port, which the log names.',
  }),
  grpcPort: option({
    env: ['GRPC_PORT'],
    flag: 'grpc-port',
    default: 0,
    parse: integer(0, 65535),
    doc: 'Port of the Open Inference Protocol over gRPC. 0 switches gRPC off.',
  }),
  host: option({
    env: ['SCORING_HOST'],
    flag: 'host',
    default: '0.0.0.0',
    parse: text,
    doc: 'Address to listen on: `127.0.0.1` for local clients only, `::` for IPv6 and IPv4.',
  }),
  healthPort: option({
    env: ['HEALTH_PORT'],
    flag: 'health-port',
    default: 5000,
    parse: integer(0, 65535),
    doc: 'Second port, with `SEPERATE_HEALTH_ENDPOINT`. With `TLS_CERT_FILE` it is open too: plain, for probes.',
  }),
  separateHealthEndpoint: option({
    env: ['SEPERATE_HEALTH_ENDPOINT'],
    default: false,
    parse: flag,
    otherwise: 'false',
    doc: 'Serves every route on `HEALTH_PORT` too. The contract fixes the spelling.',
  }),
  corsOrigins: option<readonly string[]>({
    env: ['AML_CORS_ORIGINS'],
    flag: 'access-control-allow-origins',
    default: [],
    parse: list,
    doc: 'Origins that may call from a browser, comma-separated, or `*`. Unset: no CORS headers.',
  }),
  deepCheck: option({
    env: ['DEEP_CHECK'],
    default: false,
    parse: flag,
    doc: '`/health/ready?deep=true` scores the sample of the script or model, and answers 503 if that fails.',
  }),
  keepAliveTimeoutMs: option({
    env: ['KEEP_ALIVE_TIMEOUT_MS'],
    default: 75_000,
    parse: milliseconds,
    doc: "Idle time of a kept connection. Keep it above the load balancer's idle time.",
  }),
  serverVersionHeader: option({
    env: ['SERVER_VERSION_LOG_RESPONSE_ENABLED'],
    default: true,
    parse: flag,
    otherwise: 'false',
    doc: 'Sends the header `x-ms-server-version`.',
  }),
  serverVersion: option({
    env: ['HTTP_X_MS_SERVER_VERSION'],
    default: '',
    parse: headerValue,
    otherwise: '',
    doc: 'Value of `x-ms-server-version`. Unset: name and version of this server.',
  }),
  serviceName: option({
    env: ['SERVICE_NAME'],
    default: DEFAULT_SERVICE_NAME,
    parse: text,
    doc: 'Title in swagger.json, service name in telemetry, `<endpoint>` in the layout of collected data (unset: `ml-service`).',
  }),
  serviceVersion: option({ env: ['SERVICE_VERSION'], default: '1.0', parse: text, doc: 'Version in swagger.json.' }),
  servicePathPrefix: option({
    env: ['SERVICE_PATH_PREFIX'],
    default: '',
    parse: text,
    doc: 'Path prefix in swagger.json. Routes do not move.',
  }),
} satisfies OptionRows;

const stopping = {
  drainDelayMs: option({
    env: ['DRAIN_DELAY_MS'],
    default: 2000,
    parse: milliseconds,
    doc: 'Time after SIGTERM in which the port stays open and readiness answers 503. SIGINT and SIGHUP skip it.',
  }),
  drainTimeoutMs: option({
    env: ['DRAIN_TIMEOUT_MS'],
    default: 8000,
    parse: milliseconds,
    doc: "Maximum time for the whole drain. Unfinished requests get 503. Keep it below the platform's grace period.",
  }),
} satisfies OptionRows;

const ACCESS_FIELDS = ['client', 'user-agent', 'bytes', 'worker'] as const;
/** A field of the access log that an option adds. */
type AccessField = (typeof ACCESS_FIELDS)[number];

const logging = {
  logLevel: option<LogLevel>({
    env: ['AZUREML_LOG_LEVEL'],
    flag: 'log-level',
    default: 'info',
    parse: logLevel,
    doc: '`debug`, `info`, `warning`, `error` or `critical`. Lower it to `debug` to find a fault.',
  }),
  logFormat: option<'auto' | 'json' | 'pretty'>({
    env: ['LOG_FORMAT'],
    flag: 'log-format',
    default: 'auto',
    parse: oneOf('auto', 'json', 'pretty'),
    doc: '`json` lines, `pretty` text, or `auto`: pretty on a terminal, else JSON.',
  }),
  accessLog: option({
    env: ['ACCESS_LOG'],
    default: true,
    parse: flag,
    doc: 'Logs one line per request, except probes and metrics. Switch it off to save CPU time under high load.',
  }),
  accessLogFields: option<readonly AccessField[]>({
    env: ['ACCESS_LOG_FIELDS'],
    default: [],
    parse: someOf(...ACCESS_FIELDS),
    doc: 'More of a request in its line: `client`, `user-agent`; at a terminal also `bytes`, `worker`, which JSON always has.',
  }),
  trustedProxies: option<readonly string[]>({
    env: ['TRUSTED_PROXIES'],
    default: [],
    parse: networks,
    doc: 'Addresses and networks of proxies whose `X-Forwarded-For` names the client, comma-separated.',
  }),
} satisfies OptionRows;

/** Every option, one row each. Azure ML's names and defaults come first: docs/options.md. */
export const options = {
  ...served,
  ...addresses,
  ...accessOptions,
  ...modelOptions,
  ...rightsOptions,
  ...requestOptions,
  ...stopping,
  ...logging,
  ...telemetryOptions,
  ...collectionOptions,
} satisfies OptionRows;

export const optionRows: readonly Option<unknown>[] = Object.values<Option<unknown>>(options);

/** The same rows under the headings that `--help` and docs/options.md show. */
export const optionGroups: readonly { readonly title: string; readonly rows: readonly Option<unknown>[] }[] = [
  { title: 'What is served', rows: Object.values<Option<unknown>>(served) },
  { title: 'Ports and HTTP', rows: Object.values<Option<unknown>>(addresses) },
  { title: 'Access and TLS', rows: Object.values<Option<unknown>>(accessOptions) },
  { title: 'Models and workers', rows: Object.values<Option<unknown>>(modelOptions) },
  { title: 'Rights of scripts', rows: Object.values<Option<unknown>>(rightsOptions) },
  { title: 'Requests and answers', rows: Object.values<Option<unknown>>(requestOptions) },
  { title: 'Stop', rows: Object.values<Option<unknown>>(stopping) },
  { title: 'Log', rows: Object.values<Option<unknown>>(logging) },
  { title: 'Metrics, Application Insights and traces', rows: Object.values<Option<unknown>>(telemetryOptions) },
  { title: 'Model data collection', rows: Object.values<Option<unknown>>(collectionOptions) },
];

type Options = typeof options;
type Value<O> = O extends Option<infer T> ? T : never;

/** The effective options. Paths are absolute or empty; `entryScript` stays as given. */
export type Config = { readonly [K in keyof Options]: Value<Options[K]> };
