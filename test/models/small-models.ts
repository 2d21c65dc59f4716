import { GraphBuilder } from './graph-builder.ts';
import { attribute, type ElementType, elementTypes, value } from './onnx.ts';

/** Gives what it gets: x [rows,cols] -> y [rows,cols]. */
export function echo(type: ElementType): Buffer {
  const builder = new GraphBuilder(`echo_${type}`);
  builder.node('Identity', ['x'], { output: 'y' });
  return builder.build({ inputs: [value('x', type, ['rows', 'cols'])], outputs: [value('y', type, ['rows', 'cols'])] });
}

/** Takes one row only: float32 x [1,4] -> y [1,3]. */
export function fixed1(): Buffer {
  const builder = new GraphBuilder('fixed1', 12);
  builder.node('Gemm', ['x', builder.weights('w', [4, 3], 1), builder.weights('b', [3], 1)], { output: 'y' });
  return builder.build({ inputs: [value('x', 'float32', [1, 4])], outputs: [value('y', 'float32', [1, 3])] });
}

/**
 * Float32 x and int64 ids [N,3] -> float32 sum [N,3], bool gt [N,3] (x > ids), float32 mean [N] (of
 * x).
 */
export function multi(): Buffer {
  const builder = new GraphBuilder('multi', 13);
  const ids = builder.node('Cast', ['ids'], { attributes: [attribute.int('to', elementTypes.float32)] });
  builder.node('Add', ['x', ids], { output: 'sum' });
  builder.node('Greater', ['x', ids], { output: 'gt' });
  builder.node('ReduceMean', ['x'], { attributes: [attribute.ints('axes', [1]), attribute.int('keepdims', 0)], output: 'mean' });
  return builder.build({
    inputs: [value('x', 'float32', ['N', 3]), value('ids', 'int64', ['N', 3])],
    outputs: [value('sum', 'float32', ['N', 3]), value('gt', 'bool', ['N', 3]), value('mean', 'float32', ['N'])],
  });
}

/**
 * Subtracts the mean over the batch, so that rows run together answer differently: float32 x [N,4]
 * -> y [N,4].
 */
export function batchmean(): Buffer {
  const builder = new GraphBuilder('batchmean', 14);
  const mean = builder.node('ReduceMean', ['x'], { attributes: [attribute.ints('axes', [0]), attribute.int('keepdims', 1)] });
  builder.node('Sub', ['x', mean], { output: 'y' });
  return builder.build({ inputs: [value('x', 'float32', ['N', 4])], outputs: [value('y', 'float32', ['N', 4])] });
}

/**
 * Adds the whole part of the mean over the batch, so that small numbers do not show that rows mix:
 * float32 x [N,4] -> y [N,4].
 */
export function batchtrunc(): Buffer {
  const builder = new GraphBuilder('batchtrunc', 14);
  const mean = builder.node('ReduceMean', ['x'], { attributes: [attribute.ints('axes', [0]), attribute.int('keepdims', 1)] });
  const whole = builder.node('Cast', [mean], { attributes: [attribute.int('to', elementTypes.int64)] });
  builder.node('Add', ['x', builder.node('Cast', [whole], { attributes: [attribute.int('to', elementTypes.float32)] })], { output: 'y' });
  return builder.build({ inputs: [value('x', 'float32', ['N', 4])], outputs: [value('y', 'float32', ['N', 4])] });
}

/**
 * One column an input, as AutoML exports them: float32 age [N,1], string city [N,1], int64 rooms
 * [N] -> each under `<name>_out`.
 */
export function columns(): Buffer {
  const builder = new GraphBuilder('columns');
  for (const name of ['age', 'city', 'rooms']) builder.node('Identity', [name], { output: `${name}_out` });
  return builder.build({ inputs: columnPorts(''), outputs: columnPorts('_out') });
}

const columnPorts = (suffix: string): Buffer[] => [
  value(`age${suffix}`, 'float32', ['N', 1]),
  value(`city${suffix}`, 'string', ['N', 1]),
  value(`rooms${suffix}`, 'int64', ['N']),
];

/**
 * The columns of a DataFrame under the names that exporters make of theirs: float32 Age and
 * Monthly_Income____, string `Körper_Größe`, int64 children, each [N,1] -> each under `<name>_out`.
 */
export function frame(): Buffer {
  const builder = new GraphBuilder('frame');
  const ports: [string, ElementType][] = [
    ['Age', 'float32'],
    ['Monthly_Income____', 'float32'],
    ['Körper_Größe', 'string'],
    ['children', 'int64'],
  ];
  for (const [name] of ports) builder.node('Identity', [name], { output: `${name}_out` });
  return builder.build({
    inputs: ports.map(([name, type]) => value(name, type, ['N', 1])),
    outputs: ports.map(([name, type]) => value(`${name}_out`, type, ['N', 1])),
  });
}

/** Float32 a and b [batch,3] -> their sum y [batch,3], which broadcasts one row. */
export function sharedSize(): Buffer {
  const builder = new GraphBuilder('shared_size');
  builder.node('Add', ['a', 'b'], { output: 'y' });
  return builder.build({
    inputs: [value('a', 'float32', ['batch', 3]), value('b', 'float32', ['batch', 3])],
    outputs: [value('y', 'float32', ['batch', 3])],
  });
}

/** A scalar and a tensor of unknown rank: float32 scalar [], float32 any -> scalar_out, any_out. */
export function ranks(): Buffer {
  const builder = new GraphBuilder('ranks');
  builder.node('Identity', ['scalar'], { output: 'scalar_out' });
  builder.node('Identity', ['any'], { output: 'any_out' });
  return builder.build({
    inputs: [value('scalar', 'float32', []), value('any', 'float32')],
    outputs: [value('scalar_out', 'float32', []), value('any_out', 'float32')],
  });
}

/**
 * Names that are hard to carry: float32 `__proto__` and `foo/bar` [N] -> `input:0` [N] (their sum).
 */
export function strangeNames(): Buffer {
  const builder = new GraphBuilder('strange-names');
  builder.node('Add', ['__proto__', 'foo/bar'], { output: 'input:0' });
  return builder.build({
    inputs: [value('__proto__', 'float32', ['N']), value('foo/bar', 'float32', ['N'])],
    outputs: [value('input:0', 'float32', ['N'])],
  });
}
