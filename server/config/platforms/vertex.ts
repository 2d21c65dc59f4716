import { fileURLToPath } from 'node:url';
import { join } from 'node:path';
import { ServerError } from '../../errors.ts';
import { withoutKeys } from '../../guards/addresses.ts';
import { given, isRequestPath, otherPort, PLAIN, type Platform, type PlatformRoute, type Surroundings } from './platform.ts';

/** Where Vertex AI mounts the buckets of Cloud Storage (FUSE), by name. */
const BUCKETS = '/gcs';
const [PORT, DEFAULT_PORT] = ['AIP_HTTP_PORT', '8080'];
const HEALTH = 'AIP_HEALTH_ROUTE';
const PREDICT = 'AIP_PREDICT_ROUTE';
const STORAGE = 'AIP_STORAGE_URI';

export const vertex: Platform = {
  ...PLAIN,
  name: 'vertex',
  title: 'Vertex AI',
  doc: { signs: '`AIP_MODE=PREDICTION`', port: '`AIP_HTTP_PORT`, else 8080' },
  detect: (around) => (given(around, 'AIP_MODE') === 'PREDICTION' ? 'AIP_MODE is PREDICTION' : undefined),
  values: (around) => {
    const folder = modelFolder(around);
    return { PORT: given(around, PORT) ?? DEFAULT_PORT, ...(folder !== undefined && { AZUREML_MODEL_DIR: folder }) };
  },
  routes: (around) => [...routeOf(around, HEALTH, 'ready', ''), ...routeOf(around, PREDICT, 'instances', ':predict')],
  warnings: (around, { main }) => otherPort(vertex.title, main, Number(given(around, PORT) ?? DEFAULT_PORT)),
  portVariable: PORT,
};

/**
 * A route that a variable names, or the one that Vertex AI chooses where nobody names one.
 * @throws ServerError usage
 */
function routeOf(around: Surroundings, variable: string, kind: PlatformRoute['kind'], verb: string): PlatformRoute[] {
  const path = given(around, variable) ?? defaultRoute(around, verb);
  if (path === undefined) return [];
  if (!isRequestPath(path))
    throw new ServerError(
      'usage',
      `${variable}: expected a path as a request has it, such as /predict, got ${JSON.stringify(withoutKeys(path))}`,
    );
  return [{ path, kind, literal: true }];
}

function defaultRoute(around: Surroundings, verb: string): string | undefined {
  const [endpoint, deployed] = [given(around, 'AIP_ENDPOINT_ID'), given(around, 'AIP_DEPLOYED_MODEL_ID')];
  return endpoint === undefined || deployed === undefined ? undefined : `/v1/endpoints/${endpoint}/deployedModels/${deployed}${verb}`;
}

/**
 * The folder of the model; undefined where Vertex AI brings none, or the user's own options name
 * another.
 * @throws ServerError usage
 */
function modelFolder(around: Surroundings): string | undefined {
  const uri = given(around, STORAGE);
  if (uri === undefined) return undefined;
  if (uri.startsWith('/')) return uri;
  if (URL.parse(uri)?.protocol === 'file:') return localPath(uri);
  const [, bucket] = /^gs:\/\/([a-z\d][\w.-]+(?:\/.*)?)$/s.exec(uri) ?? [];
  const mounted = bucket === undefined ? undefined : join(BUCKETS, bucket);
  if (mounted?.startsWith(`${BUCKETS}/`) === true && around.isFolder(mounted)) return mounted;
  if (around.isServed === true) return undefined;
  const why = mounted === undefined ? 'this server reads folders' : `this server downloads nothing, and ${mounted} is not mounted`;
  throw new ServerError(
    'usage',
    `${STORAGE}: expected a folder, or a bucket that is mounted below ${BUCKETS}, got ${JSON.stringify(withoutKeys(uri))}: ${why}. ` +
      'Mount the bucket with Cloud Storage FUSE, or put the model into the image and name it with AZUREML_MODEL_DIR or MODEL_FILE, ' +
      'or name an entry script with AZUREML_ENTRY_SCRIPT whose init() downloads it',
  );
}

function localPath(uri: string): string {
  try {
    return fileURLToPath(uri);
  } catch {
    throw new ServerError('usage', `${STORAGE}: expected a path or a file:// URL of this machine, got ${JSON.stringify(withoutKeys(uri))}`);
  }
}
