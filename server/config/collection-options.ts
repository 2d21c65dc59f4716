import { collectionNames, containerName, dirLimit, headerNames, hostName, postUrl, requestHeaders, segment } from './collection-values.ts';
import { eventHubConnection, storageConnection, type EventHub } from './connection-strings.ts';
import { flag, integer, milliseconds, oneOf, option, share, text, url, type OptionRows } from './option-values.ts';

const SINKS = ['file', 'azure-blob', 'azureml', 'stdout', 'http'] as const;
export type SinkName = (typeof SINKS)[number];

const HTTP_FORMATS = ['structured', 'batched', 'kafka-rest', 'event-hubs'] as const;
export type HttpFormat = (typeof HTTP_FORMATS)[number];

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
    parse: collectionNames,
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
  mdcDirMaxBytes: option({
    env: ['MDC_DIR_MAX_BYTES'],
    default: 1024 ** 3,
    parse: dirLimit,
    doc: 'Size of all collected files in `MDC_DIR`; beyond it, or on a full disk, the oldest are removed. 0: no limit.',
  }),
  mdcBlobConnectionString: option({
    env: ['MDC_BLOB_CONNECTION_STRING'],
    default: '',
    parse: storageConnection,
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
  mdcBlobContainer: option({
    env: ['MDC_BLOB_CONTAINER'],
    default: 'modeldata',
    parse: containerName,
    doc: 'Container of the sink `azure-blob`.',
  }),
  mdcHttpUrl: option({
    env: ['MDC_HTTP_URL'],
    default: '',
    parse: postUrl,
    doc: 'Address to which the sink `http` posts CloudEvents. It may have a user name and a password.',
    secret: true,
  }),
  mdcHttpFormat: option<HttpFormat | undefined>({
    env: ['MDC_HTTP_FORMAT'],
    default: undefined,
    parse: oneOf(...HTTP_FORMATS),
    doc: '`structured` (unset: one event a request), `batched` (Event Grid), `kafka-rest`, `event-hubs`.',
  }),
  mdcHttpHeaders: option<Readonly<Record<string, string>> | undefined>({
    env: ['MDC_HTTP_HEADERS'],
    default: undefined,
    parse: requestHeaders,
    doc: 'Headers of the sink `http`, for keys: `name=value,name=value`, values percent-encoded.',
    secret: true,
  }),
  mdcEventHub: option<EventHub | undefined>({
    env: ['MDC_EVENT_HUB_CONNECTION_STRING'],
    default: undefined,
    parse: eventHubConnection,
    doc: 'Connection string of an event hub, with its `EntityPath`: address, format and key of the sink `http`.',
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
    parse: segment,
    doc: '`<deployment>` in the layout of collected data.',
  }),
  mdcCaptureHeaders: option<readonly string[]>({
    env: ['MDC_CAPTURE_HEADERS'],
    default: [],
    parse: headerNames,
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
  mdcSidecarHost: option({
    env: ['AZUREML_MDC_HOST'],
    default: '127.0.0.1',
    parse: hostName,
    otherwise: '',
    doc: "Host of Azure ML's collector.",
  }),
  mdcSidecarPort: option({
    env: ['AZUREML_MDC_PORT'],
    default: 50_011,
    parse: integer(1, 65_535),
    otherwise: '',
    doc: "Port of Azure ML's collector.",
  }),
  mdcStorageEnabled: option({
    env: ['AML_MODEL_DC_STORAGE_ENABLED'],
    default: false,
    parse: flag,
    otherwise: '',
    doc: 'Stores data in `AML_MODEL_DC_STORAGE`, and traces `model_data_collection` in Application Insights.',
  }),
  mdcTraces: option({
    env: ['AML_MDC_STORAGE_ENABLED'],
    default: false,
    parse: flag,
    otherwise: '',
    doc: "The same switch by the name that Azure's server reads.",
  }),
  mdcStorage: option({
    env: ['AML_MODEL_DC_STORAGE'],
    default: '',
    parse: storageConnection,
    otherwise: '',
    doc: 'Connection string for `AML_MODEL_DC_STORAGE_ENABLED`. Without it nothing is stored.',
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
