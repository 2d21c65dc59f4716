import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import packageJson from '../../package.json' with { type: 'json' };
import { type Access, openAccess } from '../access/access.ts';
import { type ClientRates, ratesOf } from '../access/client-rates.ts';
import { type CollectionSettings, decideCollection } from '../collection/settings.ts';
import type { Config } from '../config/config.ts';
import { discover, type Found } from '../config/discovery.ts';
import type { Profile } from '../config/platforms/platforms.ts';
import type { ProxyVariables } from '../config/proxies.ts';
import type { ServeCommand } from '../config/read-config.ts';
import type { Log } from '../log.ts';
import { defaultModelName } from '../request/model-name.ts';
import { workerUser } from '../scoring/worker-user.ts';
import type { User } from '../system/users.ts';
import { reportBothCollect, reportFound, reportProfile } from './start-report.ts';

export const RELEASE = packageJson.version;
/** Name and version of this server. */
export const VERSION = `${packageJson.name}/${RELEASE}`;
/** The folder of this server. */
const HOME = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/** The served script or model, and the options. */
export interface ServingPlan {
  readonly config: Config;
  readonly found: Found;
  readonly profile: Profile;
  /** Undefined: everybody may call. */
  readonly access: Access | undefined;
  /** Undefined: no client has a limit. */
  readonly rates: ClientRates | undefined;
  /** User of the workers; undefined: that of this process. */
  readonly user: User | undefined;
  /** Undefined: nothing is collected. */
  readonly collection: CollectionSettings | undefined;
}

type Options = Pick<ServeCommand, 'config' | 'named' | 'profile'>;

/**
 * What a process without a port serves.
 * @throws ServerError usage, script_missing, script_broken, model_missing
 */
export function portlessPlan({ config, named, profile }: Options, log: Log): Pick<ServingPlan, 'config' | 'found' | 'user'> {
  const user = workerUser(config, { written: [] });
  const found = discover(config, HOME, named, profile.platform.scriptFolders);
  reportProfile(log, profile, config);
  reportFound(log, config, found);
  return { config, found, user };
}

/** @throws ServerError usage, script_missing, script_broken, model_missing */
export async function servingPlan({ config, named, profile }: Options, log: Log, proxies?: ProxyVariables): Promise<ServingPlan> {
  const { settings, warnings } = decideCollection(config);
  const user = workerUser(config, { written: writtenFolders(settings) });
  const found = discover(config, HOME, named, profile.platform.scriptFolders);
  const access = await openAccess(config, log, proxies);
  for (const warning of warnings) log.warn(warning);
  reportProfile(log, profile, config);
  if (settings !== undefined) reportBothCollect(log, profile);
  reportFound(log, config, found);
  const modelName = config.modelName === '' ? defaultModelName(found) : config.modelName;
  const serverVersion = config.serverVersion === '' ? VERSION : config.serverVersion;
  return { config: { ...config, modelName, serverVersion }, found, profile, user, access, rates: ratesOf(config), collection: settings };
}

function writtenFolders(settings: CollectionSettings | undefined): string[] {
  if (settings === undefined) return [];
  const { sink, spillDir } = settings;
  return [...(sink.kind === 'file' ? [sink.dir] : []), ...(spillDir === '' ? [] : [spillDir])];
}
