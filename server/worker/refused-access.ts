import { stackOfThrown } from '../errors.ts';
import { fileDenial } from '../system/folders.ts';
import { permissionAdvice } from '../system/permission-model.ts';

/** The stack of an error of a script, and what allows the access that it was refused. */
export function stackWithAdvice(thrown: unknown): string {
  return withAdvice(stackOfThrown(thrown), thrown);
}

/** @param text about the error */
export function withAdvice(text: string, thrown: unknown): string {
  const advice = permissionAdvice(thrown) ?? denialIn(thrown);
  return advice === undefined ? text : `${text}\n${advice}`;
}

/** Why the user of this process may not read the file that an error is about. Never throws. */
function denialIn(thrown: unknown): string | undefined {
  try {
    if (!(thrown instanceof Error) || !('code' in thrown) || thrown.code !== 'EACCES') return undefined;
    const denial = 'path' in thrown && typeof thrown.path === 'string' ? fileDenial(thrown.path) : undefined;
    return denial === undefined ? undefined : `${denial.charAt(0).toUpperCase()}${denial.slice(1)}.`;
  } catch {
    // A proxy with a trap that throws.
    return undefined;
  }
}
