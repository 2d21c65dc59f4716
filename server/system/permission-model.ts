import { resolve } from 'node:path';

/** Longest chain of causes that is looked at. */
const MOST_CAUSES = 20;
const REFUSED = 'ERR_ACCESS_DENIED';

/** Members of Node's error that its permission model throws. */
interface Refusal {
  readonly permission: unknown;
  readonly resource: unknown;
}

/** True unless the model refuses it. */
export function permits(scope: 'child'): boolean {
  return modelOfNode()?.has(scope) ?? true;
}

/** Absent where the model is off; the types have it always. */
function modelOfNode(): NodeJS.Process['permission'] | undefined {
  return process.permission;
}

/**
 * What an operator can do about a refusal of Node's permission model, as a sentence; undefined for
 * every other error. Never throws.
 */
export function permissionAdvice(thrown: unknown): string | undefined {
  if (modelOfNode() === undefined) return undefined;
  try {
    const refusal = refusalIn(thrown);
    return refusal === undefined ? undefined : adviceOn(refusal);
  } catch {
    // A proxy with a trap that throws.
    return undefined;
  }
}

function refusalIn(thrown: unknown): Refusal | undefined {
  for (let error = thrown, depth = 0; error instanceof Error && depth < MOST_CAUSES; error = error.cause, depth++)
    if ('code' in error && error.code === REFUSED)
      return { permission: memberOf(error, 'permission'), resource: memberOf(error, 'resource') };
  return undefined;
}

const memberOf = (error: Error, name: string): unknown => Object.getOwnPropertyDescriptor(error, name)?.value;

/** The options take absolute paths, and Node's error has the path as the script wrote it. */
function adviceOn({ permission, resource }: Refusal): string {
  const what = typeof resource === 'string' && resource !== '' ? resolve(resource) : 'it';
  if (permission === 'FileSystemRead') return `WORKER_PERMISSION_MODEL=on refused to read ${what}: name it in WORKER_READ_PATHS.`;
  if (permission === 'FileSystemWrite') return `WORKER_PERMISSION_MODEL=on refused to write ${what}: name it in WORKER_WRITE_PATHS.`;
  const kind = typeof permission === 'string' ? ` (${permission})` : '';
  return `WORKER_PERMISSION_MODEL=on refused this${kind}, and no path allows it: a script that needs it runs only with WORKER_PERMISSION_MODEL=off.`;
}
