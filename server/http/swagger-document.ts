/** The documents of `/swagger.json`: docs/http-api.md. */

import type { Json, Schema } from '../ipc/script-schemas.ts';
import { type Dialect, v2, v3 } from './swagger-dialect.ts';

export type SwaggerVersion = '2' | '3' | '3.1';

export interface Service {
  readonly name: string;
  readonly version: string;
  /** Prefix of the paths. Slashes around it are ignored. */
  readonly pathPrefix: string;
  /** ServiceInput, ServiceOutput, and those that they refer to. */
  readonly schemas: Readonly<Record<string, Schema>>;
  /** True: a request must have a body. Azure's documents do not say so. */
  readonly needsInput: boolean;
  readonly credentials: Credentials;
  /** Paths beside those of Azure's documents. */
  readonly morePaths?: ((dialect: Dialect) => Schema) | undefined;
}

/**
 * Who asks for a key or token: this server, and the document says so exactly; the endpoint in front
 * of it, and the document is that of Azure's server; or nobody.
 */
export type Credentials = 'of this server' | 'of the endpoint' | 'none';

const OPENAPI: Record<Exclude<SwaggerVersion, '2'>, string> = { '3': '3.0.3', '3.1': '3.1.0' };
const OF_AZURE = [{ Bearer: [] }];
/** Each alone is enough. */
const OF_THIS_SERVER = [{ Bearer: [] }, { ApiKey: [] }];
const BEARER = { type: 'apiKey', name: 'Authorization', in: 'header', description: 'For example: Bearer abc123' };
const API_KEY = { type: 'apiKey', name: 'api-key', in: 'header' };
/** What a document says of each. */
const securities: Readonly<Record<Credentials, { readonly schemes?: Schema; readonly security?: Json }>> = {
  'of this server': { schemes: { Bearer: BEARER, ApiKey: API_KEY }, security: OF_THIS_SERVER },
  'of the endpoint': { schemes: { Bearer: BEARER }, security: OF_AZURE },
  none: {},
};
const ERROR_RESPONSE = { type: 'object', properties: { message: { type: 'string' } } };
const TEXTS = {
  health: 'Simple health check endpoint to ensure the service is up at any given point.',
  healthy: "If service is up and running, this response will be returned with the content 'Healthy'",
  score: "Run web service's model and get the prediction output",
  scored: 'The service processed the input correctly and provided a result prediction, if applicable.',
  swagger: 'Get the Swagger specification.',
  document: 'The Swagger specification.',
  failed: 'The service failed to execute due to an error.',
};

/**
 * What an operation says of credentials. Each says it itself, because Swagger 2 has no member for
 * all operations.
 * @param isOpen it answers before a key is asked for
 */
export function securityOf(credentials: Credentials, isOpen: boolean): Schema {
  if (isOpen) return credentials === 'of this server' ? { security: [] } : {};
  const { security } = securities[credentials];
  return security === undefined ? {} : { security };
}

/** The document of one version. */
export function swaggerDocument(version: SwaggerVersion, service: Service): Json {
  const info = {
    title: service.name,
    description: `API specification for the Azure Machine Learning service ${service.name}`,
    version: service.version,
  };
  const { schemes, security } = securities[service.credentials];
  const schemas = { ...service.schemas, ErrorResponse: ERROR_RESPONSE };
  if (version === '2') {
    return {
      swagger: '2.0',
      info,
      schemes: ['https'],
      consumes: ['application/json'],
      produces: ['application/json'],
      ...(schemes !== undefined && { securityDefinitions: schemes }),
      paths: paths(v2, service),
      definitions: schemas,
    };
  }
  return {
    openapi: OPENAPI[version],
    info,
    ...(security !== undefined && { security }),
    paths: paths(v3, service),
    components: { schemas, ...(schemes !== undefined && { securitySchemes: schemes }) },
  };
}

function paths(dialect: Dialect, { pathPrefix, credentials, needsInput, morePaths }: Service): Json {
  const needsCredential = credentials === 'of this server';
  const bare = pathPrefix.replaceAll(/^\/+|\/+$/g, '');
  const prefix = bare === '' ? '' : `/${bare}`;
  const failed = dialect.jsonResponse(TEXTS.failed, dialect.reference('ErrorResponse'));
  return {
    [`${prefix}/`]: {
      get: {
        operationId: 'ServiceHealthCheck',
        description: TEXTS.health,
        ...securityOf(credentials, true),
        responses: { '200': dialect.textResponse(TEXTS.healthy, 'Healthy'), default: failed },
      },
    },
    [`${prefix}/score`]: {
      post: {
        operationId: 'RunMLService',
        description: TEXTS.score,
        ...securityOf(credentials, false),
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
    ...morePaths?.(dialect),
  };
}
