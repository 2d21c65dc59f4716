import { anyGiven, given, PLAIN, type Platform } from './platform.ts';

/** Where SageMaker puts the model. */
const MODELS = '/opt/ml/model';

export const sagemaker: Platform = {
  ...PLAIN,
  name: 'sagemaker',
  title: 'SageMaker',
  detect: (around) => {
    const { argv, isFolder } = around;
    if (argv.length === 1 && argv[0] === 'serve') return 'the command is serve';
    if (isFolder(MODELS)) return `${MODELS} is there`;
    return anyGiven(around, 'SAGEMAKER_BIND_TO_PORT', 'SAGEMAKER_BATCH');
  },
  values: (around) => ({
    PORT: given(around, 'SAGEMAKER_BIND_TO_PORT') ?? '8080',
    ...(around.isFolder(MODELS) && { AZUREML_MODEL_DIR: MODELS }),
  }),
  routes: () => [
    { path: '/ping', kind: 'ping' },
    { path: '/invocations', kind: 'invocations' },
    { path: '/execution-parameters', kind: 'execution-parameters' },
  ],
};
