import { readFileSync } from 'node:fs';
import { object } from '../guards/checks.ts';
import { pathSegment } from './path-segment.ts';

/** Azure ML's own choice of what is collected. */
export interface Platform {
  /** True: collected data is printed. */
  readonly local: boolean;
  /** Share of the ids that are kept, by collection. */
  readonly rates: Readonly<Record<string, number>>;
  /** Share for collections that are not named. */
  readonly others: number;
  /** Headers to capture. */
  readonly headers: readonly string[];
}

/**
 * The collections that the server itself fills. On Azure ML's endpoints the platform's own proxy
 * records them.
 */
export const PAYLOADS = ['request', 'response'];

/** A platform whose proxy records the payloads. */
export const PROXIED = { local: false, rates: Object.fromEntries(PAYLOADS.map((name) => [name, 0])), headers: [] };

/**
 * Azure ML's file of collections: docs/data-collection.md.
 * @throws whatever is wrong with the file
 */
export function readCollectionsFile(path: string): Platform {
  const { collections, runMode, captureHeaders } = objectOf(JSON.parse(readFileSync(path, 'utf8')), 'the file');
  const rates = Object.entries(objectOf(collections ?? {}, 'collections')).map(([name, given]) => {
    const { enabled, sampleRatePercentage, sampling_percentage: sampling } = objectOf(given, name);
    const rate = String(enabled).toLowerCase() === 'true' ? percentage(sampleRatePercentage ?? sampling ?? 100, name) / 100 : 0;
    return [name.toLowerCase(), rate];
  });
  return {
    local: runMode === 'local',
    rates: { ...Object.fromEntries(rates), ...PROXIED.rates },
    others: 0,
    headers: textsOf(captureHeaders ?? [], 'captureHeaders'),
  };
}

/** Identity of a v1 deployment. */
interface ModelMap {
  /** `<subscription>/<resource group>/<workspace>` of the v1 layout. */
  readonly workspace: string;
  /** Newest version of each model that the platform knows. */
  readonly modelVersions: Readonly<Record<string, string>>;
}

/**
 * The file in which a v1 deployment lists its models: docs/data-collection.md. Other deployments
 * have none, and get defaults.
 */
export function readModelMap(path: string): ModelMap {
  try {
    const { accountContext, modelsInfo } = objectOf(JSON.parse(readFileSync(path, 'utf8')), 'the file');
    const newest = Object.entries(objectOf(modelsInfo ?? {}, 'modelsInfo')).map(([model, versions]) => [
      model,
      Object.keys(objectOf(versions, model)).toSorted((a, b) => Number(b) - Number(a))[0] ?? 'default',
    ]);
    const { subscriptionId, resourceGroupName, accountName, workspaceId } = objectOf(accountContext ?? {}, 'accountContext');
    const names = textsOf(
      [subscriptionId, resourceGroupName, accountName ?? workspaceId].map((name) => name ?? 'default'),
      'accountContext',
    );
    return { workspace: names.map(pathSegment).join('/'), modelVersions: Object.fromEntries(newest) };
  } catch {
    return { workspace: 'default/default/default', modelVersions: {} };
  }
}

function objectOf(value: unknown, name: string): Readonly<Record<string, unknown>> {
  if (!object(value)) throw new TypeError(`${name}: expected an object`);
  return value;
}

function textsOf(value: unknown, name: string): readonly string[] {
  if (!Array.isArray(value) || !value.every((item) => typeof item === 'string')) throw new TypeError(`${name}: expected texts`);
  return value;
}

/** A number, or a text that is one. */
function percentage(value: unknown, name: string): number {
  const number = typeof value === 'number' || typeof value === 'string' ? Number(value) : Number.NaN;
  if (!Number.isFinite(number)) throw new TypeError(`${name}: expected a percentage`);
  return number;
}
