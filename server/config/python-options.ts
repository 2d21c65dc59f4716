import { options, type Config } from './config.ts';

/** Options of models that the server runs. A script in Python runs its models itself. */
const OF_MODELS = ['maxBatchSize', 'maxBatchDelayMs', 'warmUp', 'sharedSizes'] as const;

/** Warnings about options that are set, and that scripts in Python do not have. */
export function withoutEffect(config: Config): string[] {
  const set = OF_MODELS.filter((key) => config[key] !== options[key].default).flatMap((key) => options[key].env.slice(0, 1));
  return [
    ...(set.length === 0 ? [] : [`no effect for a script in Python, which runs its models itself: ${set.join(', ')}`]),
    ...(config.debugPort === 0
      ? []
      : ['AZUREML_DEBUG_PORT only switches the time limits off for a script in Python: call debugpy.listen() in its init()']),
  ];
}
