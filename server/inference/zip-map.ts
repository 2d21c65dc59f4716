import { blockField, type Field, fieldsOf, numbersOf, varintField } from '../tensors/protobuf.ts';

/** Field numbers of onnx.proto. */
const MODEL = { graph: 7 };
const GRAPH = { node: 1, output: 12 };
const NODE = { input: 1, output: 2, operator: 4, attribute: 5 };
const ATTRIBUTE = { name: 1, ints: 8, strings: 9 };
const VALUE = { name: 1, type: 2 };
const TYPE = { tensor: 1 };
const TENSOR = { elementType: 1, shape: 2 };
const SHAPE = { dim: 1 };
const DIM = { size: 1 };
const FLOAT = 1;

/**
 * Removes the ZipMap operators of a model. Classifiers exported from scikit-learn and LightGBM end
 * in one: it turns the probabilities [N, classes] into maps, which ONNX Runtime's Node binding
 * cannot return. Their outputs become the float32 tensors behind them, with columns in the order of
 * the class labels. All other bytes stay.
 * @param model bytes of an .onnx file that ONNX Runtime has accepted
 * @returns the new bytes, or undefined if there is no ZipMap
 */
export function withoutZipMap(model: Buffer): Buffer | undefined {
  const fields = fieldsOf(model);
  const graph = fields.findLast(({ number }) => number === MODEL.graph)?.value;
  if (!Buffer.isBuffer(graph)) return undefined;
  const stripped = stripGraph(fieldsOf(graph));
  if (stripped === undefined) return undefined;
  return Buffer.concat(fields.map((field) => (field.value === graph ? blockField(MODEL.graph, stripped) : field.raw)));
}

function stripGraph(fields: readonly Field[]): Buffer | undefined {
  const zipMaps = fields.filter((field) => field.number === GRAPH.node && text(field, NODE.operator) === 'ZipMap');
  if (zipMaps.length === 0) return undefined;
  const byOutput = new Map(zipMaps.map((zipMap) => [text(zipMap, NODE.output), zipMap]));
  const kept = fields.filter((field) => !zipMaps.includes(field));
  const copies = kept.map((field) => {
    const zipMap = field.number === GRAPH.output ? byOutput.get(text(field, VALUE.name)) : undefined;
    return zipMap === undefined ? field.raw : floatOutput(field, classes(zipMap));
  });
  // The new nodes go to the end, because a node must follow its sources.
  return Buffer.concat([...copies, ...zipMaps.map(identity)]);
}

/** Identity from the ZipMap's input to its output. */
function identity(zipMap: Field): Buffer {
  const ports = inside(zipMap).filter(({ number }) => number === NODE.input || number === NODE.output);
  return blockField(GRAPH.node, Buffer.concat([...ports.map(({ raw }) => raw), blockField(NODE.operator, 'Identity')]));
}

/** The graph output with the type float32 [?, columns]. */
function floatOutput(output: Field, columns: number): Buffer {
  const dims = Buffer.concat([blockField(SHAPE.dim, ''), blockField(SHAPE.dim, varintField(DIM.size, columns))]);
  const tensor = Buffer.concat([varintField(TENSOR.elementType, FLOAT), blockField(TENSOR.shape, dims)]);
  const type = blockField(VALUE.type, blockField(TYPE.tensor, tensor));
  const fields = inside(output).map((field) => (field.number === VALUE.type ? type : field.raw));
  return blockField(GRAPH.output, Buffer.concat(fields));
}

/** How many class labels a ZipMap has, as int64 or string. */
function classes(zipMap: Field): number {
  const attributes = inside(zipMap).filter(
    (field) => field.number === NODE.attribute && text(field, ATTRIBUTE.name)?.startsWith('classlabels_'),
  );
  const fields = attributes.flatMap(inside);
  const strings = fields.filter(({ number }) => number === ATTRIBUTE.strings);
  return strings.length + fields.filter(({ number }) => number === ATTRIBUTE.ints).flatMap(numbersOf).length;
}

/** The first string under a number of a message field. */
function text(message: Field, number: number): string | undefined {
  const found = inside(message).find((field) => field.number === number);
  return Buffer.isBuffer(found?.value) ? found.value.toString() : undefined;
}

/** The fields of a field that is a message. */
function inside({ value }: Field): Field[] {
  if (typeof value === 'number') throw new RangeError('expected a message, got a number');
  return fieldsOf(value);
}
