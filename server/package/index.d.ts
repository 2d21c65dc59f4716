// Made from the code: UPDATE_DOCS=1 npm test writes it.
/// <reference types="node" />

/** Ties records together. Python's API has a class of the same name. */
export declare class BasicCorrelationContext {
  readonly id: string;
  /** Seconds since 1970, as in Python. */
  readonly timestamp: number;
  /** Extra attributes of the record. Names that may mean keys, tokens or cookies are left out. */
  readonly headers: Readonly<Record<string, string>>;
  constructor({ id, timestamp, headers }?: Partial<BasicCorrelationContext>);
}

/**
 * Collects rows under a name: `const inputs = new Collector({ name: 'model_inputs' })`. Never
 * throws into scoring, unless asked to.
 */
export declare class Collector {
  #private;
  readonly name: string;
  constructor(options: CollectorOptions);
  /**
   * Hands rows over and returns at once. Without a context they belong to the request for which
   * they are collected.
   * @returns the context, to pass on: `outputs.collect(rows, inputs.collect(data))`
   */
  collect(data: Collectable, context?: CorrelationContext): BasicCorrelationContext;
}

export interface CollectorOptions {
  /**
   * Name of the collection, in lower case. Azure's monitors read `model_inputs` and
   * `model_outputs`.
   */
  readonly name: string;
  /** Names of columns, for data that has none. */
  readonly featureNames?: readonly string[];
  /**
   * Types of columns by name: `{ age: 'int', price: 'float' }`. The name of a nested value or of a
   * list stands for all of its columns. Other columns have the type of their first values.
   */
  readonly types?: ColumnTypes;
  /**
   * Called with an error that keeps data from being collected, in place of the log. Its own errors
   * reach the script.
   */
  readonly onError?: (error: Error) => void;
}

/** Types by name of a column, or by the name of a value that is spread over columns. */
export type ColumnTypes = Readonly<Record<string, ColumnType>>;

/** Type of a column, for as long as its collector lives. */
export type ColumnType = 'float' | 'int' | 'string' | 'boolean';

/**
 * Data to collect: rows (objects, or arrays of numbers), columns by name, tensors by name, one
 * tensor, or one value for each row. Why `object`: an interface is no `Record<string, unknown>`.
 */
export type Collectable = object | readonly TensorValue[] | Tensor | TensorData;

export type TensorValue = number | bigint | string | boolean | null | readonly TensorValue[];

/** An n-dimensional array. Returned from `run()`, it is answered as nested arrays. */
export interface Tensor {
  readonly type: Dtype;
  /** Sizes of the dimensions; `[]` is a scalar. */
  readonly dims: readonly number[];
  readonly data: TensorData;
}

/** The dtypes that ONNX Runtime's Node binding can carry. */
export type Dtype =
  | 'bool'
  | 'uint8'
  | 'uint16'
  | 'uint32'
  | 'uint64'
  | 'int8'
  | 'int16'
  | 'int32'
  | 'int64'
  | 'float16'
  | 'float32'
  | 'float64'
  | 'string';

/** Flat, row-major elements. float16: the bits, in a Uint16Array. bool: 0 or 1. */
export type TensorData = TypedData | string[];

/** Data of the dtypes that have a fixed element size. */
type TypedData =
  | Uint8Array
  | Uint16Array
  | Uint32Array
  | BigUint64Array
  | Int8Array
  | Int16Array
  | Int32Array
  | BigInt64Array
  | Float32Array
  | Float64Array;

/** A context, or anything with an id: the `request` that `run()` gets will do. */
export interface CorrelationContext {
  readonly id: string;
}

export type CollectedRow = Record<string, Cell>;

/** A cell of a collected row. bigint: a whole number beyond 2^53. */
type Cell = string | number | bigint | boolean | null;

/**
 * The collector of v1: rows go into CSV files. New scripts use `Collector`. Never throws into
 * scoring.
 */
export declare class ModelDataCollector {
  #private;
  constructor(modelName: string, options?: ModelDataCollectorOptions);
  /**
   * Hands rows over and returns at once. Rows with correlation columns keep them.
   * @returns correlations of `inputs`, for their predictions:
   * `predictions.collect(predictions.addCorrelations(rows, correlations))`
   */
  collect(data: Collectable, userCorrelationId?: string): Correlations | undefined;
  /**
   * The rows with the eight correlation columns; none where the data does not fit, which is logged
   * and counted.
   */
  addCorrelations(data: Collectable, correlations: Correlations | undefined): (CollectedRow | (CollectedRow & Correlations))[];
}

export interface ModelDataCollectorOptions {
  readonly designation?: Designation | 'default';
  readonly featureNames?: readonly string[];
  /** Types of columns by name, as for `Collector`. */
  readonly types?: ColumnTypes;
  readonly workspace?: string;
  readonly webserviceName?: string;
  readonly modelVersion?: string;
  readonly collectionName?: string;
}

type Designation = (typeof DESIGNATIONS)[number];

declare const DESIGNATIONS: readonly ['inputs', 'predictions', 'labels', 'signals', 'general'];

/** The columns of v1, exactly: docs/data-collection.md. */
export interface Correlations {
  readonly $aml_dc_correlation_id: string;
  /** UTC, with microseconds and without a Z. */
  readonly $aml_dc_scoring_timestamp: string;
  /** Minutes of a partition. */
  readonly $aml_dc_boundary: number;
  readonly $aml_workspace: string;
  readonly $aml_service_name: string;
  readonly $aml_model_name: string;
  readonly $aml_model_version: string;
  readonly $aml_request_id: string;
}

/**
 * The type of an array: `numpyType([[1, 2]], { dtype: 'float64' })`. The first size is free; the
 * others are those of the sample. Azure's NumpyParameterType.
 * @throws TypeError for a sample that is no array of that dtype
 */
export declare function numpyType(sample: readonly unknown[], options?: NumpyTypeOptions): SampleType;

export interface NumpyTypeOptions extends SampleTypeOptions {
  /** Of the elements, or of each member of them; by default as the sample shows. */
  readonly dtype?: NumpyDtype | Readonly<Record<string, NumpyDtype>> | undefined;
  /** Default true: all sizes but the first are those of the sample. False: any shape. */
  readonly enforceShape?: boolean | undefined;
  /** Default true: elements fit the dtype. */
  readonly enforceColumnType?: boolean | undefined;
}

/** Of every type. */
interface SampleTypeOptions {
  /** A request may lack it; by default it may not. */
  readonly optional?: boolean | undefined;
}

/** Types of elements, by their names in NumPy. */
export type NumpyDtype = `${'u' | ''}int${8 | 16 | 32 | 64}` | `float${16 | 32 | 64}` | 'bool' | 'datetime64' | 'str' | 'bytes';

/** What `standardType`, `numpyType` and `tableType` make of a sample. */
export interface SampleType {
  /** A request may lack the parameter of this type. */
  readonly optional: boolean;
}

/**
 * The type of a sample: `standardType({ city: 'Bonn', rooms: 3 })`. Members of it may be types of
 * their own. Azure's StandardPythonParameterType.
 * @throws TypeError for a sample without a JSON form
 */
export declare function standardType(sample: unknown, { type: kind, optional }?: StandardTypeOptions): SampleType;

export interface StandardTypeOptions extends SampleTypeOptions {
  /**
   * What the value of a sample does not show: `float` of a whole number, `date` and `time` of a
   * text.
   */
  readonly type?: 'float' | 'date' | 'time' | undefined;
}

/**
 * The type of a table: `tableType([{ a: 1, b: 'x' }])` has the columns a and b. Azure's
 * PandasParameterType.
 * @throws TypeError for a sample that is no table
 */
export declare function tableType(rows: readonly Row[], options?: TableTypeOptions): SampleType;

type Row = Readonly<Record<string, unknown>>;

export interface TableTypeOptions extends SampleTypeOptions {
  /** The JSON form of the table, by its name in pandas; default `records`. */
  readonly orient?: 'records' | 'split' | 'values' | 'index' | 'columns' | 'table' | undefined;
  /** Types of columns that the sample does not show. */
  readonly types?: Readonly<Record<string, TableColumnType>> | undefined;
  /** Default true: a table has the columns of the sample alone. False: others may follow. */
  readonly enforceShape?: boolean | undefined;
  /** Default true: cells fit the types of their columns. */
  readonly enforceColumnType?: boolean | undefined;
}

export type TableColumnType = 'int' | 'float' | 'bool' | 'datetime' | 'str';

/**
 * Thrown by an entry script to answer with a status and a message or a body of its own.
 * `throw new ScoringError(422, 'age must be positive')` answers 422 and
 * `{"message": "age must be positive"}`. `throw new ScoringError(422, { field: 'age' })` answers
 * 422 and `{"field": "age"}`. A `cause` is logged, and stays out of the answer.
 */
export declare class ScoringError extends Error {
  readonly name = 'ScoringError';
  readonly status: number;
  /** The body of the answer; absent where the message is. */
  readonly body?: object;
  /**
   * @param status HTTP status, 400 to 599
   * @param message the text that the client reads
   * @throws RangeError when the status is not an integer from 400 to 599
   */
  constructor(status: number, message: string, options?: ErrorCause);
  /**
   * @param status HTTP status, 400 to 599
   * @param body an object or array that is answered as JSON, as a result of `run()` is
   * @throws RangeError when the status is not an integer from 400 to 599
   */
  constructor(status: number, body: object, options?: ErrorCause);
}

/** As `ErrorOptions`, which the compiler lacks for targets before ES2022. */
interface ErrorCause {
  readonly cause?: unknown;
}

/** Elements of BYTES as they were sent, for a script that exports `bytesInputs = true`. */
export interface BytesTensor {
  readonly type: 'bytes';
  readonly dims: readonly number[];
  /** Row-major; a script may keep and change them. */
  readonly data: readonly Uint8Array[];
}

/** One input or output of a model. */
export interface TensorSpec {
  readonly name: string;
  readonly type: Dtype;
  /** A number is fixed, a string (possibly empty) is a symbolic size that a request chooses. */
  readonly dims: readonly (number | string)[];
  /** Class labels of the last axis, where the model names them. */
  readonly classLabels?: ClassLabels | undefined;
}

/**
 * The label of each column, in their order. A list of lists where the columns of each index of the
 * axis before the last have labels of their own. Integers beyond 2^53 are decimal texts.
 */
export type ClassLabels = readonly (string | number)[] | readonly (readonly (string | number)[])[];

/** Nested arrays or a scalar, a typed array (a whole tensor; dims by the model), or a tensor. */
export type TensorInput = Tensor | TensorData | TensorValue;

/** An ONNX model that is loaded and can be run. */
export interface Model {
  readonly name: string;
  /** Absolute path of the file. */
  readonly path: string;
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
  /**
   * Runs the model once. Inputs are converted by the model's own metadata.
   * @param outputs names of the wanted outputs; absent: all
   * @throws an error that becomes a 400 when an input does not fit. It names the tensor, the
   * expected and the given form
   */
  run(this: void, inputs: Readonly<Record<string, TensorInput>>, outputs?: readonly string[]): Promise<Record<string, Tensor>>;
  /** Frees the model's memory. */
  release(this: void): Promise<void>;
}

export interface Logger {
  debug(this: void, message: string, fields?: Record<string, unknown>): void;
  info(this: void, message: string, fields?: Record<string, unknown>): void;
  warn(this: void, message: string, fields?: Record<string, unknown>): void;
  error(this: void, message: string, fields?: Record<string, unknown>): void;
}

/** Values by label; all labels of the metric, no others. */
export type MetricLabels = Readonly<Record<string, string | number | boolean>>;

/** Only grows. Added up over all workers. */
export interface CounterMetric {
  /**
   * @throws RangeError when `by` (default 1) is negative or not finite; TypeError for wrong labels
   */
  inc(this: void, by?: number, labels?: MetricLabels): void;
}

/** The state of one worker, which has its number as the label `worker`. */
export interface GaugeMetric {
  /** @throws RangeError when the value is not finite; TypeError for wrong labels */
  set(this: void, value: number, labels?: MetricLabels): void;
  /** Adds to the value that this worker set last (0 at first). */
  add(this: void, by: number, labels?: MetricLabels): void;
}

/** How often values fall into each bucket. Added up over all workers. */
export interface HistogramMetric {
  /** @throws RangeError when the value is not finite; TypeError for wrong labels */
  observe(this: void, value: number, labels?: MetricLabels): void;
}

export interface MetricOptions {
  readonly labels?: readonly string[];
}

export interface HistogramOptions extends MetricOptions {
  /** Upper bounds, ascending; by default for seconds, from half a millisecond to a minute. */
  readonly buckets?: readonly number[];
}

/**
 * Metrics of a script, shown by `/metrics` beside the server's own. Names are Prometheus's
 * (`tokens_total`, `cache_bytes`). A second, equal definition returns the same metric.
 * @throws ServerError init_failed where a name or a label is not allowed, belongs to the server, or
 * has another kind already
 */
export interface ScriptMetrics {
  counter(this: void, name: string, help: string, options?: MetricOptions): CounterMetric;
  gauge(this: void, name: string, help: string, options?: MetricOptions): GaugeMetric;
  histogram(this: void, name: string, help: string, options?: HistogramOptions): HistogramMetric;
}

/** Handed to `init()`, once per worker. */
export interface InitContext {
  /** Absolute path of AZUREML_MODEL_DIR; undefined when it is not set. */
  readonly modelDir: string | undefined;
  /**
   * Loads an ONNX model. Relative paths are tried in the model directory, then in the script's own
   * folder. Without a path: the model that `--model` names, else the only one in those folders.
   */
  openModel(this: void, path?: string): Promise<Model>;
  /**
   * The path of a model in the layout `<model directory>/<name>/<version>`; without a version, the
   * highest. Answers the file or folder inside when there is just one, else the version's folder.
   */
  modelPath(this: void, name: string, version?: string | number): string;
  readonly log: Logger;
  /** Counters, gauges and histograms of your own. */
  readonly metrics: ScriptMetrics;
  /** Fires when the time limit of `init()` has passed. */
  readonly signal: AbortSignal;
}

/** A parameter of the Open Inference Protocol. bigint: a whole number beyond 2^53. */
export type InferParameter = string | number | bigint | boolean;

/** Parameters by name. */
export type InferParameters = Readonly<Record<string, InferParameter | undefined>>;

/**
 * The parameters of one request, as its client sent them. The records have no prototype, because
 * clients choose the names.
 */
export interface RequestParameters {
  /** Of the request as a whole. */
  readonly request: InferParameters;
  /** By the name of the input, for inputs that have parameters. */
  readonly inputs: Readonly<Record<string, InferParameters | undefined>>;
  /** By the name of the requested output, for outputs that have parameters. */
  readonly outputs: Readonly<Record<string, InferParameters | undefined>>;
}

/**
 * `score`: the routes /score. `open-inference`: that protocol, over REST and over gRPC.
 * `instances`: KServe V1 and Vertex AI. `invocations`: SageMaker. `azure-function`: a trigger of
 * Azure Functions.
 */
export type Protocol = 'score' | 'open-inference' | 'open-inference-grpc' | 'instances' | 'invocations' | 'azure-function';

/** Handed to `run()` beside the data. */
export interface RequestContext {
  /** The `x-request-id` of the request, also in every log line. */
  readonly id: string;
  /** `x-ms-client-request-id` (or the deprecated `x-ms-request-id`), when the client sent one. */
  readonly clientRequestId: string | undefined;
  /** The front door of the request. It decides the form of `data` and of the answer. */
  readonly protocol: Protocol;
  /** Names of the outputs that the client wants, Open Inference Protocol only; undefined: all. */
  readonly outputs: readonly string[] | undefined;
  /** Parameters of an Open Inference request, or beside instances; empty on /score. */
  readonly parameters: RequestParameters;
  /** The `id` that an Open Inference request names, and its answer repeats. */
  readonly inferenceId: string | undefined;
  /** W3C trace id: 32 hexadecimal digits. */
  readonly traceId: string;
  /** W3C trace context for calls that `run()` makes: send it as the header `traceparent`. */
  readonly traceparent: string;
  readonly method: string;
  /** Path and query as sent. */
  readonly url: string;
  readonly query: URLSearchParams;
  readonly headers: Headers;
  /**
   * What the trigger of an Azure function says of itself: names, properties, `RetryContext`.
   * Undefined for other protocols.
   */
  readonly metadata: Readonly<Record<string, unknown>> | undefined;
  /** Fires when the client leaves or the deadline passes. */
  readonly signal: AbortSignal;
}

/** Names and values: an object, pairs, or web-standard Headers. */
export type AnswerHeaders = Readonly<Record<string, string>> | Iterable<readonly [name: string, value: string]>;

/** What an Answer has beside its value. */
export interface AnswerOptions {
  /** Headers of the HTTP answer; over gRPC its initial metadata. */
  readonly headers?: AnswerHeaders | undefined;
  /**
   * Parameters of an Open Inference answer. Over gRPC a number is a `double_param`, and a bigint an
   * `int64_param`.
   */
  readonly parameters?: InferParameters | undefined;
  /** Parameters by the name of the output. */
  readonly outputParameters?: Readonly<Record<string, InferParameters | undefined>> | undefined;
}

/**
 * A value for `run()` to answer, with headers and parameters beside it: `return new Answer({ y }, {
 * headers: { 'x-model': 'v2' }, parameters: { cached: true } })`.
 */
export declare class Answer {
  /** Whatever `run()` could answer alone, but for a Response or an iterator. */
  readonly value: unknown;
  readonly headers: AnswerHeaders | undefined;
  readonly parameters: InferParameters | undefined;
  readonly outputParameters: AnswerOptions['outputParameters'];
  constructor(value: unknown, { headers, parameters, outputParameters }?: AnswerOptions);
}

/** Form of the data that `run()` gets, whatever the content type (docs/entry-scripts.md). */
export type InputType = 'json' | 'text' | 'bytes' | 'tensors';

/**
 * A JSON Schema, of draft 2020-12 unless its `$schema` names draft-07. It refers to nothing outside
 * itself.
 */
export type JsonSchema = Readonly<Record<string, unknown>>;

/**
 * Types by the names of parameters: the body is an object that has them as members. In Azure's
 * Python server these are the decorators of `run()`.
 */
export type ParameterTypes = Readonly<Record<string, SampleType>>;

/**
 * What a script takes and answers (docs/schemas.md). Data that does not fit `input` is answered 400
 * before `run()`. What `run()` answers to the sample must fit `output`.
 */
export interface ScriptSchema {
  readonly input?: JsonSchema | SampleType | ParameterTypes | undefined;
  readonly output?: JsonSchema | SampleType | undefined;
}

/** Describes a body to a redaction hook. */
export interface RedactInfo {
  readonly collection: 'request' | 'response';
  readonly contentType: string;
  /** The `x-request-id` of the request. */
  readonly id: string;
}

/**
 * The exports of an entry script. `Data` is what `run()` gets: parsed JSON by default, a string or
 * bytes by content type or `inputType`, a web-standard Request with `rawHttp = true`.
 */
export interface EntryScript<Data = unknown> {
  init(context: InitContext): void | Promise<void>;
  /**
   * Answers a value with a JSON form, tensors, an Answer, a Response, or an (async) iterator that
   * streams.
   */
  run(data: Data, request: RequestContext): unknown;
  /**
   * Runs once in each worker that is ended in order, after its requests, and is awaited within the
   * drain. Frees what `init()` has opened.
   */
  readonly close?: () => void | Promise<void>;
  readonly inputType?: InputType;
  readonly rawHttp?: boolean;
  /**
   * Whole numbers beyond 2^53 in a JSON body arrive as bigint instead of rounded. More than 1000
   * digits are refused with 400.
   */
  readonly exactIntegers?: boolean;
  /**
   * BYTES of the Open Inference Protocol arrive as a BytesTensor: images, say, that are no UTF-8.
   */
  readonly bytesInputs?: boolean;
  /**
   * Data as `run()` would get it. It is run before the server is ready, and gives the check of
   * batching realistic input.
   */
  readonly sample?: Data;
  /** What `run()` takes and answers. */
  readonly schema?: ScriptSchema;
  /**
   * Called with a body before it is collected, when its request is over. Returns the value to keep;
   * undefined keeps nothing. The body is parsed JSON, else text or bytes, and a copy. An error
   * keeps the body from being collected.
   */
  redact?(body: unknown, info: RedactInfo): unknown;
  /** `run()` calls at a time in one worker, at most WORKER_CONCURRENCY. 1 serialises them. */
  readonly concurrency?: number;
}

export {};
