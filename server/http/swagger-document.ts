/** The documents of `/swagger.json`: docs/http-api.md. */

import type { Json, Schema } from '../ipc/script-schemas.ts';

export type SwaggerVersion = '2' | '3' | '3.1';

export interface Service {
  readonly name: string;
  readonly version: string;
  /** Prefix of the paths. Slashes around it are ignored. */
  readonly pathPrefix: string;
  readonly input: Schema;
  /** True: a request must have a body. Azure's documents do not say so. */
  readonly needsInput: boolean;
  readonly output: Schema;
  /**
   * True: this server asks for a key or token, and the document says so exactly. Else the document
   * is that of Azure's server. Why: it names the Bearer of the endpoint in front of the container.
   */
  readonly needsCredential: boolean;
}

const OPENAPI: Record<Exclude<SwaggerVersion, '2'>, string> = { '3': '3.0.3', '3.1': '3.1.0' };
const OF_AZURE = [{ Bearer: [] }];
/** Each alone is enough. */
const OF_THIS_SERVER = [{ Bearer: [] }, { ApiKey: [] }];
const BEARER = { type: 'apiKey', name: 'Authorization', in: 'header', description: 'For example: Bearer abc123' };
const API_KEY = { type: 'apiKey', name: 'api-key', in: 'header' };
const ERROR_RESPONSE = { type: 'object', properties: { message: { type: 'string' } } };
const VERSION_PARAMETER = { name: 'version', in: 'query', required: false };
const VERSION_SCHEMA = { type: 'integer', enum: [2, 3] };

const TEXTS = {
  health: 'Simple health check endpoint to ensure the service is up at any given point.',
  healthy: "If service is up and running, this response will be returned with the content 'Healthy'",
  score: "Run web service's model and get the prediction output",
  payload: 'The input payload for executing the real-time machine learning service.',
  scored: 'The service processed the input correctly and provided a result prediction, if applicable.',
  swagger: 'Get the Swagger specification.',
  document: 'The Swagger specification.',
  failed: 'The service failed to execute due to an error.',
};

/** Differences between the two families of documents. */
interface Dialect {
  reference(name: string): Json;
  textResponse(description: string, example?: string): Json;
  jsonResponse(description: string, schema: Json): Json;
  /** Members of the scoring operation. */
  payload(schema: Json, required: Schema): { readonly [key: string]: Json };
  readonly versionParameter: Json;
}

const v2: Dialect = {
  reference: (name) => ({ $ref: `#/definitions/${name}` }),
  textResponse: (description, example) => ({
    description,
    schema: { type: 'string' },
    ...(example !== undefined && { examples: { 'application/json': example } }),
  }),
  jsonResponse: (description, schema) => ({ description, schema }),
  payload: (schema, required) => ({
    parameters: [{ name: 'serviceInputPayload', in: 'body', description: TEXTS.payload, ...required, schema }],
  }),
  versionParameter: { ...VERSION_PARAMETER, ...VERSION_SCHEMA },
};

const v3: Dialect = {
  reference: (name) => ({ $ref: `#/components/schemas/${name}` }),
  textResponse: (description, example) => ({
    description,
    content: { 'text/plain': { schema: { type: 'string', ...(example !== undefined && { example }) } } },
  }),
  jsonResponse: (description, schema) => ({ description, content: { 'application/json': { schema } } }),
  payload: (schema, required) => ({
    requestBody: { description: TEXTS.payload, ...required, content: { 'application/json': { schema } } },
  }),
  versionParameter: { ...VERSION_PARAMETER, schema: VERSION_SCHEMA },
};

/** The document of one version. */
export function swaggerDocument(version: SwaggerVersion, service: Service): Json {
  const info = {
    title: service.name,
    description: `API specification for the Azure Machine Learning service ${service.name}`,
    version: service.version,
  };
  const schemes = { Bearer: BEARER, ...(service.needsCredential && { ApiKey: API_KEY }) };
  const schemas = { ServiceInput: service.input, ServiceOutput: service.output, ErrorResponse: ERROR_RESPONSE };
  if (version === '2') {
    return {
      swagger: '2.0',
      info,
      schemes: ['https'],
      consumes: ['application/json'],
      produces: ['application/json'],
      securityDefinitions: schemes,
      paths: paths(v2, service),
      definitions: schemas,
    };
  }
  return {
    openapi: OPENAPI[version],
    info,
    security: service.needsCredential ? OF_THIS_SERVER : OF_AZURE,
    paths: paths(v3, service),
    components: { schemas, securitySchemes: schemes },
  };
}

function paths(dialect: Dialect, { pathPrefix, needsCredential, needsInput }: Service): Json {
  const bare = pathPrefix.replaceAll(/^\/+|\/+$/g, '');
  const prefix = bare === '' ? '' : `/${bare}`;
  const failed = dialect.jsonResponse(TEXTS.failed, dialect.reference('ErrorResponse'));
  return {
    [`${prefix}/`]: {
      get: {
        operationId: 'ServiceHealthCheck',
        description: TEXTS.health,
        ...(needsCredential && { security: [] }),
        responses: { '200': dialect.textResponse(TEXTS.healthy, 'Healthy'), default: failed },
      },
    },
    [`${prefix}/score`]: {
      post: {
        operationId: 'RunMLService',
        description: TEXTS.score,
        security: needsCredential ? OF_THIS_SERVER : OF_AZURE,
        ...dialect.payload(dialect.reference('ServiceInput'), needsInput ? { required: true } : {}),
        responses: { '200': dialect.jsonResponse(TEXTS.scored, dialect.reference('ServiceOutput')), default: failed },
      },
    },
    [`${prefix}/swagger.json`]: {
      get: {
        operationId: 'GetSwaggerSpec',
        description: TEXTS.swagger,
        ...(needsCredential && { security: OF_THIS_SERVER }),
        parameters: [dialect.versionParameter],
        responses: { '200': dialect.textResponse(TEXTS.document), default: failed },
      },
    },
  };
}
