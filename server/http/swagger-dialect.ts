import type { Json, Schema } from '../ipc/script-schemas.ts';

const VERSION_PARAMETER = { name: 'version', in: 'query', required: false };
const VERSION_SCHEMA = { type: 'integer', enum: [2, 3] };

const PAYLOAD = 'The input payload for executing the real-time machine learning service.';

/** Differences between the two families of documents. */
export interface Dialect {
  reference(name: string): Json;
  textResponse(description: string, example?: string): Json;
  jsonResponse(description: string, schema: Json): Json;
  /** Members of the scoring operation. */
  payload(schema: Json, required: Schema): { readonly [key: string]: Json };
  readonly versionParameter: Json;
  /** A part of a path. */
  pathParameter(name: string, values: readonly string[]): Json;
}

export const v2: Dialect = {
  reference: (name) => ({ $ref: `#/definitions/${name}` }),
  textResponse: (description, example) => ({
    description,
    schema: { type: 'string' },
    ...(example !== undefined && { examples: { 'application/json': example } }),
  }),
  jsonResponse: (description, schema) => ({ description, schema }),
  payload: (schema, required) => ({
    parameters: [{ name: 'serviceInputPayload', in: 'body', description: PAYLOAD, ...required, schema }],
  }),
  versionParameter: { ...VERSION_PARAMETER, ...VERSION_SCHEMA },
  pathParameter: (name, values) => ({ name, in: 'path', required: true, type: 'string', enum: values }),
};

export const v3: Dialect = {
  reference: (name) => ({ $ref: `#/components/schemas/${name}` }),
  textResponse: (description, example) => ({
    description,
    content: { 'text/plain': { schema: { type: 'string', ...(example !== undefined && { example }) } } },
  }),
  jsonResponse: (description, schema) => ({ description, content: { 'application/json': { schema } } }),
  payload: (schema, required) => ({
    requestBody: { description: PAYLOAD, ...required, content: { 'application/json': { schema } } },
  }),
  versionParameter: { ...VERSION_PARAMETER, schema: VERSION_SCHEMA },
  pathParameter: (name, values) => ({ name, in: 'path', required: true, schema: { type: 'string', enum: values } }),
};
