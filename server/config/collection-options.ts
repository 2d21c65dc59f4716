import { flag, integer, list, milliseconds, oneOf, option, share, text, url, type OptionRows } from './option-values.ts';

const SINKS = ['file', 'azure-blob', 'azureml', 'stdout', 'http'] as const;
export type SinkName = (typeof SINKS)[number];

/**
 * Options of model data collection. The platform sets those that begin with AZUREML_ and AML_:
 * docs/data-collection.md.
 */
export const collectionOptions = {
  mdcSink: option<'auto' | 'off' | SinkName>({
    env: ['MDC_SINK'],
    default: 'auto',
    parse: oneOf('auto', 'off', ...SINKS),
    doc: '`file`, `azure-blob`, `azureml`, `stdout`, `http`, `off`. `auto`: off, unless an option or the platform names one.',
  }),
  mdcCollections: option<readonly string[]>({
    env: ['MDC_COLLECTIONS'],
    default: [],
    parse: list,
    doc: 'Collections to keep, comma-separated. Unset: all, except those that the platform records itself.',
  }),
  mdcSamplingRate: option<number | undefined>({
    env: ['MDC_SAMPLING_RATE'],
    default: undefined,
    parse: share,
    doc: "Share of the requests to collect, 0 to 1. Lower it to save storage. Unset: 1, or the platform's value.",
  }),
  mdcDir: option({
    env: ['MDC_DIR'],
    default: '',
    parse: text,
    doc: 'Root folder of the sink `file`. Unset: `modelDataCollector` in `AML_APP_ROOT`.',
  }),
  mdcBlobConnectionString: option({
    env: ['MDC_BLOB_CONNECTION_STRING'],
    default: '',
    parse: text,
    doc: 'Connection string of the storage account, with its key or a SAS.',
    secret: true,
  }),
  mdcBlobAccountUrl: option({
    env: ['MDC_BLOB_ACCOUNT_URL'],
    default: '',
    parse: url,
    doc: "Address of the storage account, with a SAS in its query, or without one to use the container's identity.",
    secret: true,
  }),
  mdcBlobContainer: option({ env: ['MDC_BLOB_CONTAINER'], default: 'modeldata', parse: text, doc: 'Container of the sink `azure-blob`.' }),
  mdcHttpUrl: option({
    env: ['MDC_HTTP_URL'],
    default: '',
    parse: url,
    doc: 'Address to which the sink `http` posts CloudEvents.',
    secret: true,
  }),
  mdcSpillDir: option({
    env: ['MDC_SPILL_DIR'],
    default: '',
    parse: text,
    doc: 'Folder for data that the sink cannot take; it survives a restart. Unset: data waits only in memory.',
  }),
  mdcFlushTimeoutMs: option({
    env: ['MDC_FLUSH_TIMEOUT_MS'],
    default: 10_000,
    parse: milliseconds,
    doc: 'Time to deliver the rest at a stop, after the drain. Raise it if records are lost at a rollout.',
  }),
  mdcDeployment: option({
    env: ['MDC_DEPLOYMENT'],
    default: 'default',
    parse: text,
    doc: '`<deployment>` in the layout of collected data.',
  }),
  mdcCaptureHeaders: option<readonly string[]>({
    env: ['MDC_CAPTURE_HEADERS'],
    default: [],
    parse: list,
    doc: 'Headers to record with `request` and `response`. Headers with keys, tokens or cookies are never recorded.',
  }),
  mdcConfigPath: option({
    env: ['AZUREML_MDC_CONFIG_PATH'],
    default: '',
    parse: text,
    doc: "File with Azure ML's configuration of data collection. The platform sets it.",
  }),
  mdcSidecarEnabled: option({
    env: ['AZUREML_MDC_ENABLED'],
    default: false,
    parse: flag,
    otherwise: '',
    doc: "Azure ML's older switch, without a file.",
  }),
  mdcSidecarPercentage: option({
    env: ['AZUREML_MDC_SAMPLE_RATE'],
    default: 100,
    parse: integer(0, 100),
    otherwise: '',
    doc: 'Percentage of requests that `AZUREML_MDC_ENABLED` collects.',
  }),
  mdcSidecarHost: option({ env: ['AZUREML_MDC_HOST'], default: '127.0.0.1', parse: text, doc: "Host of Azure ML's collector." }),
  mdcSidecarPort: option({
    env: ['AZUREML_MDC_PORT'],
    default: 50_011,
    parse: integer(1, 65_535),
    otherwise: '',
    doc: "Port of Azure ML's collector.",
  }),
  mdcStorageEnabled: option({
    env: ['AML_MODEL_DC_STORAGE_ENABLED', 'AML_MDC_STORAGE_ENABLED'],
    default: false,
    parse: flag,
    otherwise: '',
    doc: "Switches collection on, as Azure's v1 deployments do, and traces `model_data_collection` in Application Insights.",
  }),
  mdcStorage: option({
    env: ['AML_MODEL_DC_STORAGE'],
    default: '',
    parse: text,
    otherwise: '',
    doc: 'Connection string for `AML_MODEL_DC_STORAGE_ENABLED`.',
    secret: true,
  }),
  mdcDebug: option({
    env: ['AML_MODEL_DC_DEBUG'],
    default: false,
    parse: flag,
    otherwise: '',
    doc: 'Prints the rows of the v1 API as the sink `stdout` does, even where collection is off.',
  }),
} satisfies OptionRows;
