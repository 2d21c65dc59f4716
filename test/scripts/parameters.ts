import { Answer, type RequestContext } from 'scoring-server';
export function init() {}
const text = (value: unknown): string =>
  JSON.stringify(value, (_key, each: unknown) => (typeof each === 'bigint' ? `${each}n` : each)) ?? 'undefined';
/** Answers what it got beside the tensors, and more beside its own. */
export const run = (data: object, request: RequestContext) => {
  const { parameters, inferenceId } = request;
  if ('wrong' in data) return new Answer({ about: ['x'] }, { parameters: { when: new Date() as never } });
  return new Answer(
    { about: [text(parameters), String(inferenceId)] },
    {
      headers: { 'x-model': 'v2', 'X-Request-Id': 'not yours', 'grpc-status': '13' },
      parameters: { cached: true, took: 1.5, rows: 2n ** 63n, note: 'done' },
      outputParameters: { about: { unit: 'words', binary_data_size: 1 } },
    },
  );
};
