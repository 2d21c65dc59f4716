import { options, type Config } from './config.ts';

/** Options of models that the server runs. A script in Python runs its models itself. */
const OF_MODELS = ['maxBatchSize', 'maxBatchDelayMs', 'warmUp', 'sharedSizes'] as const;

/** The warning about set options that scripts in Python do not have; undefined: there are none. */
export function withoutEffect(config: Config): string | undefined {
  const set = OF_MODELS.filter((key) => config[key] !== options[key].default).flatMap((key) => options[key].env.slice(0, 1));
  return set.length === 0 ? undefined : `no effect for a script in Python, which runs its models itself: ${set.join(', ')}`;
}
