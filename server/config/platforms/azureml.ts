import { anyGiven, PLAIN, type Platform } from './platform.ts';

/** Local, ACI, AKS, managed and Kubernetes online endpoints: the options are Azure ML's own. */
export const azureml: Platform = {
  ...PLAIN,
  name: 'azureml',
  title: 'Azure ML',
  doc: { signs: '`AZUREML_MODEL_DIR` or `AZUREML_ENTRY_SCRIPT`', port: '5001' },
  front: 'bearer',
  detect: (around) => anyGiven(around, 'AZUREML_MODEL_DIR', 'AZUREML_ENTRY_SCRIPT'),
};
