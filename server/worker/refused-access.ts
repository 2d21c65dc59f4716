import { stackOfThrown } from '../errors.ts';
import { permissionAdvice } from '../system/permission-model.ts';

/** The stack of an error of a script, and the option that allows what it was refused. */
export function stackWithAdvice(thrown: unknown): string {
  return withAdvice(stackOfThrown(thrown), thrown);
}

/** @param text about the error */
export function withAdvice(text: string, thrown: unknown): string {
  const advice = permissionAdvice(thrown);
  return advice === undefined ? text : `${text}\n${advice}`;
}
