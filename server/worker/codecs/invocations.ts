import { Answer, type Tensor, type TensorSpec } from '../../entry-script.ts';
import { charsetOf, decodeText } from '../../request/text.ts';
import { type CsvTable, readCsv, type TextColumns } from '../../tensors/csv.ts';
import { JsonNumbers, withNumbers } from '../../tensors/json-numbers.ts';
import { readNpy } from '../../tensors/npy.ts';
import { matchColumns } from '../../tensors/table-columns.ts';
import { fitTensor } from '../../tensors/to-tensor.ts';
import type { WorkerRequest } from '../request-context.ts';
import { preferred } from './accept.ts';
import { csvText, jsonLines, npyParts } from './answer-forms.ts';
import { answerParts, jsonHeaders } from './answer-parts.ts';
import type { BodyChoices, Encoded, Serving } from './codec.ts';
import { encodeJson } from './encode-result.ts';
import { countLines, readJsonLines } from './json-lines.ts';
import { ScoreCodec } from './score-codec.ts';

const JSON_TYPE = 'application/json';
const CSV_TYPE = 'text/csv';
const LINES_TYPES = ['application/jsonlines', 'application/x-jsonlines', 'application/x-ndjson'] as const;
const NPY_TYPE = 'application/x-npy';

type Form = 'json' | 'csv' | 'lines' | 'npy';
type AnswerType = typeof JSON_TYPE | typeof CSV_TYPE | typeof NPY_TYPE | (typeof LINES_TYPES)[number];

/** Types of answers, in the order of preference where a client wants none more than others. */
const ANSWERS = [JSON_TYPE, CSV_TYPE, ...LINES_TYPES, NPY_TYPE] as const satisfies readonly AnswerType[];

const formOf: ReadonlyMap<string, Form> = new Map<string, Form>([
  [JSON_TYPE, 'json'],
  [CSV_TYPE, 'csv'],
  ...LINES_TYPES.map((type): [string, Form] => [type, 'lines']),
  [NPY_TYPE, 'npy'],
]);

/** Bodies and answers of the content types that SageMaker's clients send: docs/platforms.md. */
export class InvocationsCodec extends ScoreCodec {
  readonly #choices: BodyChoices;
  readonly #serving: Serving;

  constructor(choices: BodyChoices, serving: Serving) {
    super(choices, serving);
    this.#choices = choices;
    this.#serving = serving;
  }

  override decode(request: WorkerRequest, body: Buffer): unknown {
    const { rawHttp, inputType, exactIntegers } = this.#choices;
    const form = formOf.get(mediaTypeOf(request.contentType));
    const asTensors = inputType === 'tensors';
    const asItIs = rawHttp || inputType === 'text' || inputType === 'bytes';
    if (!asItIs && form === 'lines') {
      const values = readJsonLines(body, exactIntegers, this.#serving.jsonNan);
      request.lines = values.length;
      return asTensors && !isObject(values[0]) ? withNumbers(values) : values;
    }
    if (form === 'csv' && asTensors) return this.#table(request, body);
    if (form === 'npy' && asTensors) return this.#array(body);
    const data = super.decode(request, body);
    if (typeof data === 'string' && (form === 'csv' || form === 'lines')) request.lines = countLines(data) - (hasHeader(request) ? 1 : 0);
    return data;
  }

  override encode(request: WorkerRequest, result: unknown): Encoded {
    const { nonFinite, answerLimitBytes } = this.#serving;
    const type = answerType(request);
    const { value: answered, headers = [] } = result instanceof Answer ? answerParts(result) : { value: result };
    const value = answered ?? {};
    const parts = this.#partsOf(type, request, value);
    if (parts === undefined) return { headers: jsonHeaders(headers), parts: [encodeJson(value, nonFinite, answerLimitBytes)] };
    return { headers: [['content-type', type === CSV_TYPE ? `${CSV_TYPE}; charset=utf-8` : type], ...headers], parts };
  }

  /** Undefined where JSON is wanted, or the value has no such form. */
  #partsOf(type: AnswerType, { lines }: WorkerRequest, value: unknown): readonly (string | Uint8Array)[] | undefined {
    const form = formOf.get(type) ?? 'json';
    switch (form) {
      case 'json':
        return undefined;
      case 'npy':
        return npyParts(value, this.#serving.answerLimitBytes);
      case 'lines':
        return [jsonLines(value, lines, this.#serving)];
      case 'csv': {
        const text = csvText(value, lines, this.#serving);
        return text === undefined ? undefined : [text];
      }
      default:
        return form satisfies never;
    }
  }

  #table(request: WorkerRequest, body: Buffer): unknown {
    const { contentType } = request;
    const text = decodeText(body, charsetOf(contentType));
    const { inputs } = this.#serving;
    const table = readCsv(text, hasHeader(request), inputs && textColumnsOf(inputs));
    request.lines = table.rows instanceof JsonNumbers ? table.rows.dims[0] : table.rows.length;
    if (table.columns !== undefined) return { columns: table.columns, data: table.rows };
    const [only, ...others] = inputs ?? [];
    return only?.dims.length === 1 && others.length === 0 ? flat(table) : table.rows;
  }

  #array(body: Buffer): Tensor {
    const [only, ...others] = this.#serving.inputs ?? [];
    const array = readNpy(only?.name ?? 'data', body);
    return only === undefined || others.length > 0 ? array : fitTensor(only, array);
  }
}

/** Lines are answered by lines, unless others are wanted: a batch transform joins them. */
function answerType(request: WorkerRequest): AnswerType {
  const sent = mediaTypeOf(request.contentType);
  const same = ANSWERS.filter((type) => type === sent && formOf.get(type) !== 'npy');
  return preferred(request.header('accept'), [...same, ...ANSWERS]) ?? JSON_TYPE;
}

/** The first line of CSV has the names of the columns. */
function hasHeader({ contentType }: WorkerRequest): boolean {
  return /;\s*header\s*=\s*"?present\b/i.test(contentType ?? '');
}

function mediaTypeOf(contentType: string | undefined): string {
  return (contentType ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '';
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The columns of inputs that take texts. A table that does not match is refused later. */
function textColumnsOf(inputs: readonly TensorSpec[]): TextColumns {
  const [only, ...others] = inputs;
  return (width, columns = []) => {
    if (others.length === 0) return Array.from({ length: width }, () => only?.type === 'string');
    const found = matchColumns(
      columns,
      inputs.map(({ name }) => name),
    );
    const texts = Array.from({ length: width }, () => false);
    if (typeof found !== 'string') for (const [index, { type }] of inputs.entries()) texts[found[index] ?? 0] = type === 'string';
    return texts;
  };
}

/** A column, or a row, as a tensor of one dimension. */
function flat({ rows }: CsvTable): unknown {
  if (rows instanceof JsonNumbers) return rows.dims.includes(1) ? rows.flat : rows;
  return rows.length === 1 || rows[0]?.length === 1 ? rows.flat() : rows;
}
