import { GraphBuilder } from './graph-builder.ts';
import { attribute, type ElementType, elementTypes, externalTensor, mapsValue, sequenceValue, value } from './onnx.ts';

const rows = (name: string, type: ElementType = 'float32'): Buffer => value(name, type, ['N', 3]);

/**
 * Ends in ZipMap, as scikit-learn exports classifiers: float32 x [N,3] -> label [N], probabilities
 * (maps label -> float).
 */
export function zipMap(): Buffer {
  const builder = new GraphBuilder('zipmap');
  const probabilities = builder.node('Softmax', ['x'], { attributes: [attribute.int('axis', -1)] });
  builder.node('ArgMax', ['x'], { attributes: [attribute.int('axis', 1), attribute.int('keepdims', 0)], output: 'label' });
  const labels = [attribute.ints('classlabels_int64s', [0, 1, 2])];
  builder.node('ZipMap', [probabilities], { attributes: labels, output: 'probabilities', domain: 'ai.onnx.ml' });
  return builder.build(
    { inputs: [rows('x')], outputs: [value('label', 'int64', ['N']), mapsValue('probabilities', 'int64')] },
    { opsets: { 'ai.onnx.ml': 1 } },
  );
}

/** ZipMap behind a weight that lies in `weights.bin`: x is multiplied by that one float32 first. */
export function zipMapExternal(): Buffer {
  const builder = new GraphBuilder('zipmap-external');
  builder.initializer(externalTensor('w', 'float32', [1], 'weights.bin'));
  const labels = [attribute.strings('classlabels_strings', ['low', 'middle', 'high'])];
  const scaled = builder.node('Mul', ['x', 'w']);
  builder.node('ZipMap', [scaled], { attributes: labels, output: 'probabilities', domain: 'ai.onnx.ml' });
  return builder.build({ inputs: [rows('x')], outputs: [mapsValue('probabilities', 'string')] }, { opsets: { 'ai.onnx.ml': 1 } });
}

/** Its weight lies in `weights.bin`, beside the model: float32 x [N,3] -> y [N,3]. */
export function external(): Buffer {
  const builder = new GraphBuilder('external');
  builder.initializer(externalTensor('w', 'float32', [1], 'weights.bin'));
  builder.node('Mul', ['x', 'w'], { output: 'y' });
  return builder.build({ inputs: [rows('x')], outputs: [rows('y')] });
}

/** Two outputs, one of them a sequence: float32 x [N,3] -> y [N,3], parts. */
export function sequenceOutput(): Buffer {
  const builder = new GraphBuilder('sequence-output');
  builder.node('Identity', ['x'], { output: 'y' });
  builder.node('SequenceConstruct', ['x'], { output: 'parts' });
  return builder.build({ inputs: [rows('x')], outputs: [rows('y'), sequenceValue('parts', 'float32', ['N', 3])] });
}

/** Two outputs, one of them a sequence of a tensor for each row: x [N,3] -> y, parts. */
export function splitSequence(): Buffer {
  const builder = new GraphBuilder('split-sequence');
  builder.node('Identity', ['x'], { output: 'y' });
  builder.node('SplitToSequence', ['x'], { output: 'parts' });
  return builder.build({ inputs: [rows('x')], outputs: [rows('y'), sequenceValue('parts', 'float32', ['', 3])] });
}

/** No output that is a tensor, or can become one. */
export function onlySplitSequence(): Buffer {
  const builder = new GraphBuilder('only-split-sequence');
  builder.node('SplitToSequence', ['x'], { output: 'parts' });
  return builder.build({ inputs: [rows('x')], outputs: [sequenceValue('parts', 'float32', ['', 3])] });
}

/** No output that is a tensor by itself. */
export function onlySequenceOutput(): Buffer {
  const builder = new GraphBuilder('only-sequence-output');
  builder.node('SequenceConstruct', ['x'], { output: 'parts' });
  return builder.build({ inputs: [rows('x')], outputs: [sequenceValue('parts', 'float32', ['N', 3])] });
}

/** An input that cannot be fed. */
export function sequenceInput(): Buffer {
  const builder = new GraphBuilder('sequence-input');
  builder.node('SequenceLength', ['parts'], { output: 'length' });
  return builder.build({ inputs: [sequenceValue('parts', 'float32', ['N', 3])], outputs: [value('length', 'int64', [])] });
}

/** Casts float32 x [N,3] to y of a type. */
export function castTo(type: ElementType): Buffer {
  const builder = new GraphBuilder(`cast-to-${type}`);
  builder.node('Cast', ['x'], { attributes: [attribute.int('to', elementTypes[type])], output: 'y' });
  return builder.build({ inputs: [rows('x')], outputs: [rows('y', type)] }, { ir: 10, opset: 21 });
}

/** Casts x [N,3] of a type to float32 y. */
export function castFrom(type: ElementType): Buffer {
  const builder = new GraphBuilder(`cast-from-${type}`);
  builder.node('Cast', ['x'], { attributes: [attribute.int('to', elementTypes.float32)], output: 'y' });
  return builder.build({ inputs: [rows('x', type)], outputs: [rows('y')] }, { ir: 10, opset: 21 });
}

/** An operator that no one has. */
export function unknownOperator(): Buffer {
  const builder = new GraphBuilder('unknown-operator');
  builder.node('Foo', ['x'], { output: 'y' });
  return builder.build({ inputs: [rows('x')], outputs: [rows('y')] });
}

/** An operator set that does not exist yet. */
export function futureOpset(): Buffer {
  const builder = new GraphBuilder('future-opset');
  builder.node('Identity', ['x'], { output: 'y' });
  return builder.build({ inputs: [rows('x')], outputs: [rows('y')] }, { opset: 314159 });
}

/**
 * Graph input `w` has an initializer, so that ONNX allows to leave it out: float32 x [N,3], w [1]
 * -> y [N,3].
 */
export function overridable(): Buffer {
  const builder = new GraphBuilder('overridable');
  builder.node('Mul', ['x', builder.filled('w', [1], 2)], { output: 'y' });
  return builder.build({ inputs: [rows('x'), value('w', 'float32', [1])], outputs: [rows('y')] });
}

/** An output whose name JavaScript objects treat specially. */
export function protoOutput(): Buffer {
  const builder = new GraphBuilder('proto-output');
  builder.node('Identity', ['x'], { output: '__proto__' });
  return builder.build({ inputs: [rows('x')], outputs: [rows('__proto__')] });
}

/** As large as its client asks for: int64 shape [2] -> y float32, of that shape. */
export function constantOfShape(): Buffer {
  const builder = new GraphBuilder('constant-of-shape');
  builder.node('ConstantOfShape', ['shape'], { output: 'y' });
  return builder.build({ inputs: [value('shape', 'int64', [2])], outputs: [value('y', 'float32', ['A', 'B'])] });
}
