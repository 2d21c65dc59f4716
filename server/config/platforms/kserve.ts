import { PLAIN, type Platform } from './platform.ts';

/** Where KServe puts the model. */
const MODELS = '/mnt/models';

export const kserve: Platform = {
  ...PLAIN,
  name: 'kserve',
  title: 'KServe',
  detect: ({ isFolder }) => (isFolder(MODELS) ? `${MODELS} is there` : undefined),
  values: () => ({ PORT: '8080', AZUREML_MODEL_DIR: MODELS }),
  routes: () => [
    { path: '/v1/models', kind: 'model-list' },
    { path: '/v1/models/:model', kind: 'model-state' },
    { path: '/v1/models/:model::predict', kind: 'instances' },
  ],
};
