import { anyGiven, given, PLAIN, type Platform } from './platform.ts';

/** Where KServe puts the model. */
const MODELS = '/mnt/models';
/** Flags in the spelling that the runtimes of KServe pass. */
const ITS_FLAG = /^--(?:http_port|model_name)(?:=|$)/;

/** `K_SERVICE` shows nothing: Cloud Run and every Knative service have it. */
export const kserve: Platform = {
  ...PLAIN,
  name: 'kserve',
  title: 'KServe',
  doc: { signs: '`/mnt/models`, `--http_port` or `--model_name` in its spelling, or `STORAGE_URI`', port: '`--http_port`, else 8080' },
  detect: (around) => {
    const flag = around.argv.find((each) => ITS_FLAG.test(each));
    if (flag !== undefined) return `${flag.replace(/=.*/s, '')} is given`;
    // Azure ML mounts a model below a folder that its user chooses.
    const isAzure = given(around, 'AZUREML_MODEL_DIR')?.startsWith(`${MODELS}/`) === true;
    if (around.isFolder(MODELS)) return isAzure ? undefined : `${MODELS} is there`;
    // With KServe it brings that folder. Alone it may be a variable of the user's own.
    return anyGiven(around, 'AZUREML_MODEL_DIR', 'AZUREML_ENTRY_SCRIPT') === undefined ? anyGiven(around, 'STORAGE_URI') : undefined;
  },
  values: (around) => ({
    PORT: '8080',
    // Without a storageUri the model is in the image.
    ...((around.isFolder(MODELS) || given(around, 'STORAGE_URI') !== undefined) && { AZUREML_MODEL_DIR: MODELS }),
  }),
  routes: () => [
    { path: '/v1/models', kind: 'model-list' },
    { path: '/v1/models/:model', kind: 'model-state' },
    // A client may encode the colon, and the router has no pattern of both: the parameter has it.
    { path: '/v1/models/:model:predict', pattern: '/v1/models/:model(^.+(?::|%3[Aa])predict$)', kind: 'instances' },
  ],
  collects: "KServe's logger (spec.predictor.logger) copies requests and answers as CloudEvents, where it is on",
};
