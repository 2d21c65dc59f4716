import { basename, parse } from 'node:path';
import type { Found } from '../config/discovery.ts';
import { ServerError } from '../errors.ts';
import { excerpt } from '../guards/excerpt.ts';

/** The only version. The Open Inference Protocol has versions; this server has none. */
export const MODEL_VERSION = '1';

/** The name of the served model if none is configured. */
export function defaultModelName({ kind, entryScript, modelFile }: Pick<Found, 'kind' | 'entryScript' | 'modelFile'>): string {
  return kind === 'model without code' && modelFile !== undefined ? basename(modelFile).replace(/\.onnx$/i, '') : parse(entryScript).name;
}

/**
 * Checks that a request of the Open Inference Protocol names the served model.
 * @param version any if it is undefined or empty
 * @throws ServerError model_unknown
 */
export function checkModel(served: string, name: string, version: string | undefined): void {
  if (name !== served)
    throw new ServerError('model_unknown', `model ${JSON.stringify(excerpt(name))}: there is no such model; this server serves ${served}.`);
  if (version !== undefined && version !== '' && version !== MODEL_VERSION)
    throw new ServerError(
      'model_unknown',
      `model ${name}: there is no version ${JSON.stringify(excerpt(version))}; the only version is ${MODEL_VERSION}.`,
    );
}
