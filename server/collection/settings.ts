import { resolve } from 'node:path';
import type { HttpFormat, SinkName } from '../config/collection-options.ts';
import { DEFAULT_SERVICE_NAME, type Config } from '../config/config.ts';
import { describeThrown, ServerError } from '../errors.ts';
import { hostInUrl } from '../guards/addresses.ts';
import { mayCapture } from '../request/captured-headers.ts';
import { pathSegment } from './path-segment.ts';
import { PAYLOADS, PROXIED, readCollectionsFile, readModelMap, type Platform } from './platform-files.ts';

export type SinkSettings =
  /** @param maxBytes of all files; 0: no limit */
  | { readonly kind: 'file'; readonly dir: string; readonly maxBytes: number }
  | { readonly kind: 'azure-blob'; readonly connectionString: string; readonly accountUrl: string; readonly container: string }
  | { readonly kind: 'azureml'; readonly url: string }
  | HttpSettings
  | { readonly kind: 'stdout' };

interface HttpSettings {
  readonly kind: 'http';
  /** Without user name and password. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly format: HttpFormat;
  /** Undefined: the headers suffice. */
  readonly access: SharedAccess | undefined;
}

/** A key of Event Hubs, with which tokens are signed. */
export interface SharedAccess {
  /** The address that a token is for. */
  readonly resource: string;
  readonly keyName: string;
  readonly key: string;
}

/**
 * Which data is collected, and where it goes. Plain data, because the writer's thread and the
 * workers get it, too.
 */
export interface CollectionSettings {
  readonly sink: SinkSettings;
  /** Share of the ids that are kept, by collection. */
  readonly rates: Readonly<Record<string, number>>;
  /** Share for collections that are not named; 0: they are not collected. */
  readonly others: number;
  /** `<endpoint>` of the layout. */
  readonly endpoint: string;
  /** `<deployment>` of the layout. */
  readonly deployment: string;
  /** In lower case. */
  readonly captureHeaders: readonly string[];
  /** Absolute; empty where there is none. */
  readonly spillDir: string;
  readonly flushTimeoutMs: number;
  /** `<subscription>/<resource group>/<workspace>` of the v1 layout. */
  readonly workspace: string;
  /** Newest version of each model that the platform knows, v1 only. */
  readonly modelVersions: Readonly<Record<string, string>>;
  /** True: rows of v1 are printed, too. */
  readonly prints: boolean;
}

export interface Decision {
  /** Undefined where nothing is collected. */
  readonly settings: CollectionSettings | undefined;
  readonly warnings: readonly string[];
}

/** The collections of v1, which Azure's v1 SDK calls designations. */
const V1 = ['inputs', 'predictions', 'labels', 'signals', 'general'];

/** The file in which a v1 deployment lists its models: docs/data-collection.md. */
const MODEL_MAP = '/var/azureml-app/model_config_map.json';

/** Share of the ids that are kept of a collection; 0: it is not collected. */
export function rateOf({ rates, others }: Pick<CollectionSettings, 'rates' | 'others'>, collection: string): number {
  return (Object.hasOwn(rates, collection) ? rates[collection] : undefined) ?? others;
}

/**
 * Decides from the options and from the platform's configuration whether and how data is collected.
 * @throws ServerError usage where a sink is named without its address
 */
export function decideCollection(config: Config, modelMap = MODEL_MAP): Decision {
  if (config.mdcSink === 'off') return { settings: undefined, warnings: [] };
  const warnings: string[] = [];
  const platform = readPlatform(config, warnings) ?? (config.mdcSink === 'azureml' ? { ...PROXIED, others: 1 } : undefined);
  const asked = chooseSink(config, platform, warnings);
  // The switch for debugging alone asks for the sink that prints.
  const sink = asked ?? (config.mdcDebug ? 'stdout' : undefined);
  if (sink === undefined) return { settings: undefined, warnings };

  const headers = config.mdcCaptureHeaders.length > 0 ? config.mdcCaptureHeaders : (platform?.headers ?? []);
  const wrong = headers.filter((name) => !mayCapture(name));
  if (wrong.length > 0) warnings.push(`MDC_CAPTURE_HEADERS: ${wrong.join(', ')} may carry keys or cookies, and are never collected`);
  const settings: CollectionSettings = {
    sink: sinkSettings(sink, config),
    ...(asked === undefined ? { rates: Object.fromEntries(V1.map((name) => [name, 1])), others: 0 } : shares(config, platform)),
    // The default is a title. Names of Azure's endpoints have letters, digits and hyphens.
    endpoint: config.serviceName === DEFAULT_SERVICE_NAME ? 'ml-service' : pathSegment(config.serviceName),
    deployment: pathSegment(config.mdcDeployment),
    captureHeaders: headers.filter(mayCapture).map((name) => name.toLowerCase()),
    spillDir: config.mdcSpillDir === '' ? '' : resolve(config.appRoot, config.mdcSpillDir),
    flushTimeoutMs: config.mdcFlushTimeoutMs,
    ...readModelMap(modelMap),
    prints: config.mdcDebug && sink !== 'stdout',
  };
  return { settings, warnings };
}

/** Azure ML's own configuration, in a file or in variables: docs/data-collection.md. */
function readPlatform(config: Config, warnings: string[]): Platform | undefined {
  const { mdcConfigPath: path, mdcSidecarEnabled, mdcSidecarPercentage } = config;
  if (path === '') return mdcSidecarEnabled ? { ...PROXIED, others: mdcSidecarPercentage / 100 } : undefined;
  try {
    return readCollectionsFile(path);
  } catch (thrown) {
    warnings.push(`AZUREML_MDC_CONFIG_PATH: expected a JSON file of collections at ${path}, ${describeThrown(thrown)}`);
    return undefined;
  }
}

function chooseSink(config: Config, platform: Platform | undefined, warnings: string[]): SinkName | undefined {
  if (config.mdcSink !== 'auto' && config.mdcSink !== 'off') return config.mdcSink;
  if (config.mdcBlobConnectionString !== '' || config.mdcBlobAccountUrl !== '') return 'azure-blob';
  if (config.mdcHttpUrl !== '' || config.mdcEventHub !== undefined) return 'http';
  if (config.mdcDir !== '') return 'file';
  if (platform !== undefined) return platform.local ? 'stdout' : 'azureml';
  if (hasStorage(config, warnings)) return 'azure-blob';
  return config.mdcCollections.length > 0 || config.mdcSamplingRate !== undefined ? 'file' : undefined;
}

/**
 * The storage of Azure's v1 deployments. As in Azure's SDK, the switch without a storage stores
 * nothing: bodies must not fill a container's disk that nobody has asked for.
 */
function hasStorage({ mdcStorageEnabled, mdcTraces, mdcStorage }: Config, warnings: string[]): boolean {
  if (mdcStorage !== '') return mdcStorageEnabled || mdcTraces;
  if (mdcStorageEnabled)
    warnings.push('AML_MODEL_DC_STORAGE_ENABLED stores nothing without AML_MODEL_DC_STORAGE. Set it, or a sink such as MDC_DIR');
  return false;
}

function sinkSettings(kind: SinkName, config: Config): SinkSettings {
  switch (kind) {
    case 'file':
      return { kind, dir: resolve(config.appRoot, config.mdcDir || 'modelDataCollector'), maxBytes: config.mdcDirMaxBytes };
    case 'azure-blob': {
      const { mdcBlobContainer: container } = config;
      const accountUrl = accountAddress(config);
      const connectionString = config.mdcBlobConnectionString || (accountUrl === '' ? config.mdcStorage : '');
      if (connectionString === '' && accountUrl === '') throw missing(kind, 'MDC_BLOB_CONNECTION_STRING or MDC_BLOB_ACCOUNT_URL');
      return { kind, connectionString, accountUrl, container };
    }
    case 'azureml':
      return { kind, url: `http://${hostInUrl(config.mdcSidecarHost)}:${config.mdcSidecarPort}/modeldata/log` };
    case 'http':
      return httpSettings(config);
    case 'stdout':
      return { kind };
    default:
      return kind satisfies never;
  }
}

function httpSettings({ mdcHttpUrl, mdcHttpHeaders = {}, mdcHttpFormat, mdcEventHub: hub }: Config): HttpSettings {
  if (hub !== undefined) {
    if (mdcHttpUrl !== '') throw usage('MDC_EVENT_HUB_CONNECTION_STRING: expected no MDC_HTTP_URL beside it, got both: each is an address');
    if (mdcHttpFormat !== undefined && mdcHttpFormat !== 'event-hubs')
      throw usage(`MDC_HTTP_FORMAT: expected event-hubs with MDC_EVENT_HUB_CONNECTION_STRING, got ${mdcHttpFormat}`);
    const access = { resource: hub.url, keyName: hub.keyName, key: hub.key };
    return { kind: 'http', url: `${hub.url}/messages`, headers: mdcHttpHeaders, format: 'event-hubs', access };
  }
  if (mdcHttpUrl === '') throw missing('http', 'MDC_HTTP_URL');
  const url = new URL(mdcHttpUrl);
  const [user, password] = [url.username, url.password].map(decodeURIComponent);
  const basic = user || password ? { authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}` } : {};
  url.username = '';
  url.password = '';
  return {
    kind: 'http',
    url: url.href,
    headers: { ...basic, ...mdcHttpHeaders },
    format: mdcHttpFormat ?? 'structured',
    access: undefined,
  };
}

/**
 * The address of the account. Azure's portal hands out a container's SAS with the container's
 * address: the container is cut off.
 */
function accountAddress({ mdcBlobAccountUrl, mdcBlobContainer }: Config): string {
  if (mdcBlobAccountUrl === '') return '';
  const url = new URL(mdcBlobAccountUrl);
  const path = url.pathname.replace(/\/+$/, '');
  url.pathname = path.endsWith(`/${mdcBlobContainer}`) ? path.slice(0, -mdcBlobContainer.length - 1) : path;
  if (url.hostname.includes('.blob.') && url.pathname !== '/')
    throw usage(
      `MDC_BLOB_ACCOUNT_URL: expected the account's address, got one with the path ${path}: MDC_BLOB_CONTAINER names the container`,
    );
  if (url.search === '' && url.protocol === 'http:')
    throw usage('MDC_BLOB_ACCOUNT_URL: expected an https:// address, or one with a SAS: no identity is shown over http://');
  return url.href;
}

const usage = (text: string): ServerError => new ServerError('usage', text);

const missing = (sink: SinkName, option: string): ServerError =>
  usage(`MDC_SINK: the sink ${sink} needs an address, but ${option} is not set`);

/** A collection that MDC_COLLECTIONS names is collected, also where the platform records it. */
function shares(config: Config, platform: Platform | undefined): Pick<CollectionSettings, 'rates' | 'others'> {
  const rate = config.mdcSamplingRate;
  if (config.mdcCollections.length > 0) {
    const rates = config.mdcCollections.map((name) => {
      const collection = name.toLowerCase();
      const given = PAYLOADS.includes(collection) ? undefined : platform?.rates[collection];
      return [collection, rate ?? (given || 1)];
    });
    return { rates: Object.fromEntries(rates), others: 0 };
  }
  if (platform === undefined) return { rates: {}, others: rate ?? 1 };
  const scaled = Object.entries(platform.rates).map(([name, given]) => [name, given === 0 ? 0 : (rate ?? given)]);
  return { rates: Object.fromEntries(scaled), others: platform.others === 0 ? 0 : (rate ?? platform.others) };
}
