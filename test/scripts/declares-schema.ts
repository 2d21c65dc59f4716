/** Takes what its schema says, and nothing else. */
export const schema = {
  input: {
    type: 'object',
    properties: { data: { type: 'array', items: { type: 'integer', minimum: 0, maximum: 255 }, minItems: 1, maxItems: 8 } },
    required: ['data'],
    additionalProperties: false,
    example: { data: [1, 2, 3] },
  },
  output: { type: 'object', properties: { sum: { type: 'integer' } }, required: ['sum'] },
};

export const sample = { data: [1, 2, 3] };

export function init(): void {}

export function run({ data }: { readonly data: readonly number[] }): unknown {
  return { sum: data.reduce((sum, each) => sum + each, 0) };
}
