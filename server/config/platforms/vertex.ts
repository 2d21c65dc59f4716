import { given, PLAIN, type Platform } from './platform.ts';

export const vertex: Platform = {
  ...PLAIN,
  name: 'vertex',
  title: 'Vertex AI',
  detect: (around) => (given(around, 'AIP_MODE') === 'PREDICTION' ? 'AIP_MODE is PREDICTION' : undefined),
  values: (around) => ({ PORT: given(around, 'AIP_HTTP_PORT') ?? '8080' }),
  routes: (around) => {
    const health = given(around, 'AIP_HEALTH_ROUTE');
    const predict = given(around, 'AIP_PREDICT_ROUTE');
    return [
      ...(health === undefined ? [] : [{ path: health, kind: 'ready' } as const]),
      ...(predict === undefined ? [] : [{ path: predict, kind: 'instances' } as const]),
    ];
  },
};
