import { flag, integer, list, milliseconds, oneOf, option, share, text, url, type Option } from './option-values.ts';

const SINKS = ['file', 'azure-blob', 'azureml', 'stdout', 'http'] as const;
export type SinkName = (typeof SINKS)[number];

/** The options of model data collection, rows of the table in config.ts. Platform names: reference/data-collection.md, sections 2 and 6. */
export const collectionOptions = {
  mdcSink: option<'auto' | 'off' | SinkName>({
    env: ['MDC_SINK'],
    default: 'auto',
    parse: oneOf('auto', 'off', ...SINKS),
    doc: 'where collected data goes: `file`, `azure-blob`, `azureml`, `stdout` or `http`; `auto`: nowhere until another `MDC_` option or the platform asks for it; `off`: nowhere',
  }),
  mdcCollections: option<readonly string[]>({
    env: ['MDC_COLLECTIONS'],
    default: [],
    parse: list,
    doc: 'collections that are kept, comma-separated (`request,response,model_inputs`); unset: all, but what the platform records itself',
  }),
  mdcSamplingRate: option<number | undefined>({
    env: ['MDC_SAMPLING_RATE'],
    default: undefined,
    parse: share,
    doc: 'share of the requests whose data is collected, 0 to 1; unset: 1, or what the platform says',
  }),
  mdcDir: option({
    env: ['MDC_DIR'],
    default: '',
    parse: text,
    doc: 'root of the `file` sink; unset: `modelDataCollector` in `AML_APP_ROOT`',
  }),
  mdcBlobConnectionString: option({
    env: ['MDC_BLOB_CONNECTION_STRING'],
    default: '',
    parse: text,
    doc: 'connection string of the storage account, with its key or a SAS',
  }),
  mdcBlobAccountUrl: option({
    env: ['MDC_BLOB_ACCOUNT_URL'],
    default: '',
    parse: url,
    doc: 'address of the storage account, or of `MDC_BLOB_CONTAINER` in it, written to with the identity of this container, or with the SAS in its query',
  }),
  mdcBlobContainer: option({ env: ['MDC_BLOB_CONTAINER'], default: 'modeldata', parse: text, doc: 'container of the `azure-blob` sink' }),
  mdcHttpUrl: option({ env: ['MDC_HTTP_URL'], default: '', parse: url, doc: 'where the `http` sink posts CloudEvents' }),
  mdcSpillDir: option({
    env: ['MDC_SPILL_DIR'],
    default: '',
    parse: text,
    doc: 'folder where data waits while the sink cannot take it, also across a restart; unset: only memory',
  }),
  mdcFlushTimeoutMs: option({
    env: ['MDC_FLUSH_TIMEOUT_MS'],
    default: 10_000,
    parse: milliseconds,
    doc: 'longest delivery of what is left when the server stops, after the drain',
  }),
  mdcDeployment: option({
    env: ['MDC_DEPLOYMENT'],
    default: 'default',
    parse: text,
    doc: '`<deployment>` in the layout of collected data',
  }),
  mdcCaptureHeaders: option<readonly string[]>({
    env: ['MDC_CAPTURE_HEADERS'],
    default: [],
    parse: list,
    doc: 'headers that are collected with `request` and `response`; never those that carry keys, tokens or cookies',
  }),
  mdcConfigPath: option({ env: ['AZUREML_MDC_CONFIG_PATH'], default: '', parse: text, doc: "Azure ML's configuration of data collection" }),
  mdcSidecarEnabled: option({ env: ['AZUREML_MDC_ENABLED'], default: false, parse: flag, doc: "Azure ML's older switch, without a file" }),
  mdcSidecarPercentage: option({
    env: ['AZUREML_MDC_SAMPLE_RATE'],
    default: 100,
    parse: integer(0, 100),
    doc: 'percentage that goes with `AZUREML_MDC_ENABLED`',
  }),
  mdcSidecarHost: option({ env: ['AZUREML_MDC_HOST'], default: '127.0.0.1', parse: text, doc: "host of Azure ML's collector" }),
  mdcSidecarPort: option({ env: ['AZUREML_MDC_PORT'], default: 50_011, parse: integer(1, 65_535), doc: "port of Azure ML's collector" }),
  mdcStorageEnabled: option({
    env: ['AML_MODEL_DC_STORAGE_ENABLED', 'AML_MDC_STORAGE_ENABLED'],
    default: false,
    parse: flag,
    doc: "switches collection on, as Azure's v1 deployments do; Application Insights, where it is on, gets traces `model_data_collection` too",
  }),
  mdcStorage: option({
    env: ['AML_MODEL_DC_STORAGE'],
    default: '',
    parse: text,
    doc: 'connection string that goes with `AML_MODEL_DC_STORAGE_ENABLED`',
  }),
  mdcDebug: option({
    env: ['AML_MODEL_DC_DEBUG'],
    default: false,
    parse: flag,
    doc: 'rows of the v1 API are printed, too, as by the sink `stdout`, also where collection is off',
  }),
} satisfies Record<string, Option<never> | Option<unknown>>;
