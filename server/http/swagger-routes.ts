import type { PlatformRoute, RouteKind } from '../config/platforms/platform.ts';
import { type ErrorCode, failures, requestFailures } from '../errors.ts';
import type { Json, Schema } from '../ipc/script-schemas.ts';
import { MODEL_VERSION } from '../request/model-name.ts';
import type { Dialect } from './swagger-dialect.ts';
import { type Credentials, securityOf } from './swagger-document.ts';

/** What decides which routes there are, and how they answer. */
interface Described {
  readonly modelName: string;
  readonly credentials: Credentials;
  /** Of the platform. */
  readonly routes: readonly PlatformRoute[];
}

/** The kinds of routes beside those of Azure's documents. */
type Kind = RouteKind | 'infer' | 'metadata';

interface Row {
  readonly text: string;
  readonly method: 'get' | 'post';
  /** Name of the schema of the body and of the answer; undefined: any JSON. */
  readonly body?: string;
  readonly answer?: string;
  /** Name of the schema of an error. */
  readonly error: 'ErrorResponse' | 'ErrorText';
  /** It answers before a key is asked for. */
  readonly isOpen: boolean;
}

const scoring = { method: 'post', isOpen: false } as const;
const probe = { method: 'get', error: 'ErrorText', isOpen: true } as const;

const rows: Readonly<Record<Kind, Row>> = {
  score: { ...scoring, text: 'As /score.', body: 'ServiceInput', answer: 'ServiceOutput', error: 'ErrorResponse' },
  instances: { ...scoring, text: 'Instances to predictions.', body: 'Instances', answer: 'Predictions', error: 'ErrorText' },
  invocations: { ...scoring, text: 'The input by its content type, to the answer.', error: 'ErrorResponse' },
  'azure-function': { ...scoring, text: 'An invocation of a function.', error: 'ErrorResponse' },
  infer: {
    ...scoring,
    text: 'Inference of the Open Inference Protocol.',
    body: 'InferRequest',
    answer: 'InferResponse',
    error: 'ErrorText',
  },
  metadata: { method: 'get', text: 'Metadata of the Open Inference Protocol.', error: 'ErrorText', isOpen: false },
  live: { ...probe, text: 'The process is alive.' },
  ready: { ...probe, text: 'The workers are ready.' },
  ping: { ...probe, text: 'The workers are ready.' },
  'execution-parameters': { ...probe, text: 'Limits of the platform.' },
  'several-models': { method: 'post', text: 'This server serves one model: 404.', error: 'ErrorResponse', isOpen: false },
  'model-list': { method: 'get', text: 'Names of the models.', error: 'ErrorText', isOpen: false },
  'model-state': { ...probe, text: 'The state of the model.' },
};

const tensor = (more: Schema): Schema => ({
  type: 'object',
  required: ['name', 'shape', 'datatype'],
  properties: {
    name: { type: 'string' },
    shape: { type: 'array', items: { type: 'integer', minimum: 0 } },
    datatype: { type: 'string', enum: 'BOOL UINT8 UINT16 UINT32 UINT64 INT8 INT16 INT32 INT64 FP16 FP32 FP64 BYTES'.split(' ') },
    parameters: { type: 'object' },
    data: { type: 'array', items: {} },
    ...more,
  },
});
const named: Schema = { type: 'object', required: ['name'], properties: { name: { type: 'string' }, parameters: { type: 'object' } } };

/** Schemas that these routes have beside those of the service. */
export const ROUTE_SCHEMAS: Readonly<Record<string, Schema>> = {
  ErrorText: { type: 'object', properties: { error: { type: 'string' } } },
  Instances: { type: 'object', properties: { instances: { type: 'array', items: {} }, parameters: { type: 'object' } } },
  Predictions: { type: 'object', properties: { predictions: { type: 'array', items: {} } } },
  InferRequest: {
    type: 'object',
    required: ['inputs'],
    properties: {
      id: { type: 'string' },
      parameters: { type: 'object' },
      inputs: { type: 'array', items: tensor({}) },
      outputs: { type: 'array', items: named },
    },
  },
  InferResponse: {
    type: 'object',
    required: ['model_name', 'outputs'],
    properties: {
      model_name: { type: 'string' },
      model_version: { type: 'string' },
      id: { type: 'string' },
      parameters: { type: 'object' },
      outputs: { type: 'array', items: tensor({}) },
    },
  },
};

const MODEL = '/v2/models/:model';
const OPEN_INFERENCE: readonly (readonly [path: string, kind: Kind])[] = [
  ['/v2', 'metadata'],
  ['/v2/health/live', 'live'],
  ['/v2/health/ready', 'ready'],
  ['/v2/models', 'metadata'],
  ...[MODEL, `${MODEL}/versions/:version`].flatMap((path): [string, Kind][] => [
    [path, 'metadata'],
    [`${path}/ready`, 'ready'],
    [`${path}/infer`, 'infer'],
  ]),
];
const PROBES: readonly (readonly [path: string, kind: Kind])[] = [
  ['/health/live', 'live'],
  ['/livez', 'live'],
  ['/health/ready', 'ready'],
  ['/readyz', 'ready'],
];

/** A part of a path whose value the request gives. */
const PARAMETER = /(?<=\/):(\w+)/g;

/** The paths of all routes but those of Azure's documents, with every status they can answer. */
export function routePaths(dialect: Dialect, described: Described): Schema {
  const own = [...PROBES, ...OPEN_INFERENCE].map(([path, kind]) => ({ path, kind, literal: false }));
  const paths = new Map<string, Schema>();
  // A document has no form for "every other path".
  for (const { path, kind, literal } of [...own, ...described.routes.filter((route) => route.path !== '*')]) {
    const parameters = literal === true ? [] : [...path.matchAll(PARAMETER)].map(([, name = '']) => name);
    const shown = parameters.length === 0 ? path : path.replaceAll(PARAMETER, '{$1}');
    paths.set(shown, { ...paths.get(shown), [rows[kind].method]: operation(dialect, kind, parameters, described) });
  }
  return Object.fromEntries(paths);
}

/** @param names of the parameters in its path */
function operation(dialect: Dialect, kind: Kind, names: readonly string[], { modelName, credentials }: Described): Json {
  const { text, body, answer, error, isOpen, method } = rows[kind];
  const values: Readonly<Record<string, string>> = { model: modelName, version: MODEL_VERSION };
  const parts = names.map((name) => dialect.pathParameter(name, [values[name] ?? '']));
  const payload = method === 'post' ? dialect.payload(body === undefined ? {} : dialect.reference(body), { required: true }) : {};
  const { parameters = [] } = payload;
  const all = [...parts, ...(Array.isArray(parameters) ? parameters : [])];
  return {
    description: text,
    ...payload,
    ...(all.length > 0 && { parameters: all }),
    ...securityOf(credentials, isOpen),
    responses: {
      '200': dialect.jsonResponse('The answer.', answer === undefined ? {} : dialect.reference(answer)),
      ...failureResponses(kind, credentials, (status) => dialect.jsonResponse(status, dialect.reference(error))),
    },
  };
}

/** Failures of a request that has no body, or asks for nothing of a model. */
const OF_ALL: ReadonlySet<ErrorCode> = new Set([
  'bad_request',
  'method_not_allowed',
  'request_timeout',
  'id_too_long',
  'headers_too_large',
  'internal',
]);
const OF_ACCESS: ReadonlySet<ErrorCode> = new Set(['unauthorized', 'forbidden', 'keys_unavailable']);
const OF_METADATA: ReadonlySet<ErrorCode> = new Set([...OF_ALL, 'model_unknown', 'not_ready', 'rate_limited']);
/** No scoring route answers these: its path exists, and a client that left reads nothing. */
const NEVER: ReadonlySet<ErrorCode> = new Set(['client_gone', 'not_found', 'swagger_version']);

/** The failures of the table that a route can answer, by their statuses. */
function failureResponses(kind: Kind, credentials: Credentials, response: (text: string) => Json): Schema {
  const { method, isOpen } = rows[kind];
  const answers = (code: ErrorCode): boolean => {
    if (NEVER.has(code)) return false;
    if (OF_ACCESS.has(code)) return !isOpen && credentials === 'of this server';
    if (code === 'model_unknown') return kind === 'infer' || kind === 'metadata' || kind === 'ready' || kind === 'instances';
    return method === 'post' || (isOpen ? OF_ALL.has(code) || code === 'not_ready' : OF_METADATA.has(code));
  };
  const texts = new Map<number, string[]>();
  for (const code of requestFailures) {
    const { status, doc } = failures[code];
    if (status !== undefined && answers(code)) texts.set(status, [...(texts.get(status) ?? []), doc]);
  }
  return Object.fromEntries([...texts].map(([status, docs]) => [String(status), response(docs.join('; '))]));
}
