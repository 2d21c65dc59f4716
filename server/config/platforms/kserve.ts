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
    if (around.isFolder(MODELS)) return `${MODELS} is there`;
    const flag = around.argv.find((each) => ITS_FLAG.test(each));
    return flag === undefined ? anyGiven(around, 'STORAGE_URI') : `${flag.replace(/=.*/s, '')} is given`;
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
