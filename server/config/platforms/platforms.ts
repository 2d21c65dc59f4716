import { appService } from './app-service.ts';
import { azureFunctions } from './azure-functions.ts';
import { azureml } from './azureml.ts';
import { iotEdge } from './iot-edge.ts';
import { kserve } from './kserve.ts';
import { PROFILE_NAMES, type ProfileName } from './names.ts';
import { type BatchJob, PLAIN, type Platform, type PlatformRoute, type StartLimit, type Surroundings } from './platform.ts';
import { sagemaker } from './sagemaker.ts';
import { vertex } from './vertex.ts';

const plain: Platform = {
  ...PLAIN,
  name: 'plain',
  title: 'no platform',
  doc: { signs: 'nothing else', port: '5001' },
  detect: () => 'no platform shows itself',
  names: false,
};

/** All platforms, by the names of their profiles. */
const platforms: Readonly<Record<ProfileName, Platform>> = {
  'azure-functions': azureFunctions,
  vertex,
  'app-service': appService,
  'iot-edge': iotEdge,
  kserve,
  sagemaker,
  azureml,
  plain,
};

/** The platform that this server is for, and what follows from it. */
export interface Profile {
  readonly platform: Platform;
  /** Why this one, for the log. */
  readonly why: string;
  readonly routes: readonly PlatformRoute[];
  readonly values: Readonly<Record<string, string>>;
  readonly batch: BatchJob | undefined;
  readonly fixed: Readonly<Record<string, string>>;
  readonly startLimit: StartLimit | undefined;
}

/**
 * The profile that is named, or the first that shows itself.
 * @throws ServerError usage where the platform gives what the server cannot use
 */
export function profileOf(named: ProfileName | 'auto', around: Surroundings): Profile {
  const made = (platform: Platform, why: string): Profile => ({
    platform,
    why,
    routes: platform.routes(around),
    values: platform.values(around),
    batch: platform.batch(around),
    fixed: platform.fixed(around),
    startLimit: platform.startLimit(around),
  });
  if (named !== 'auto') return made(platforms[named], 'SCORING_PROFILE names it');
  for (const name of PROFILE_NAMES) {
    const why = platforms[name].detect(around);
    if (why !== undefined) return made(platforms[name], why);
  }
  return made(plain, 'no platform shows itself');
}

/** Of a server that no platform has started. */
export const PLAIN_PROFILE: Profile = {
  platform: plain,
  why: 'no platform shows itself',
  routes: [],
  values: {},
  fixed: {},
  batch: undefined,
  startLimit: undefined,
};

/** The table of docs/platforms.md. */
export function profilesTable(): string {
  const rows = PROFILE_NAMES.map((name) => {
    const { title, doc } = platforms[name];
    return `| \`${name}\` | ${title} | ${doc.signs} | ${doc.port} |`;
  });
  return ['| profile | platform | it shows itself by | port |', '|---|---|---|---|', ...rows].join('\n');
}
