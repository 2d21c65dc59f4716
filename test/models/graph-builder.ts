import { attribute, type ElementType, type Graph, model, node, tensor, type Versions } from './onnx.ts';

/** The same numbers from 0 (inclusive) to 1 for the same seed, on every machine (mulberry32). */
export function randomNumbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const product = (dims: readonly number[]): number => dims.reduce((size, dim) => size * dim, 1);

/**
 * Collects the nodes and weights of a graph. Weights come from the seed, in the order of the calls.
 */
export class GraphBuilder {
  readonly random: () => number;
  readonly #name: string;
  readonly #nodes: Buffer[] = [];
  readonly #initializers: Buffer[] = [];
  #temporaries = 0;

  constructor(name: string, seed = 0) {
    this.#name = name;
    this.random = randomNumbers(seed);
  }

  /**
   * A float32 initializer, uniform around 0 with the given standard deviation; answers its name.
   */
  weights(name: string, dims: readonly number[], deviation: number): string {
    const bound = deviation * Math.sqrt(3);
    const values = new Float32Array(product(dims));
    for (let index = 0; index < values.length; index++) values[index] = (this.random() * 2 - 1) * bound;
    return this.constant(name, 'float32', dims, values);
  }

  /** A float32 initializer of one value; answers its name. */
  filled(name: string, dims: readonly number[], element: number): string {
    return this.constant(name, 'float32', dims, new Float32Array(product(dims)).fill(element));
  }

  /** An initializer; answers its name. */
  constant(name: string, type: ElementType, dims: readonly number[], data: ArrayBufferView | readonly string[]): string {
    this.#initializers.push(tensor(name, type, dims, data));
    return name;
  }

  /** An initializer that is encoded already. */
  initializer(bytes: Buffer): void {
    this.#initializers.push(bytes);
  }

  /** A node with one output; answers the output's name, a new one where none is given. */
  node(operator: string, inputs: readonly string[], options: NodeOptions = {}): string {
    const output = options.output ?? `t${this.#temporaries++}`;
    this.nodeOf(operator, inputs, [output], options);
    return output;
  }

  /** A node with any number of outputs. */
  nodeOf(operator: string, inputs: readonly string[], outputs: readonly string[], { attributes, domain }: NodeOptions = {}): void {
    this.#nodes.push(node(operator, inputs, outputs, attributes, domain));
  }

  /**
   * Convolution with a square kernel and bias, and ReLU unless it is switched off: answers the
   * output's name.
   */
  convolution(input: string, channels: readonly [number, number], kernel: number, pad: number, options: ConvolutionOptions = {}): string {
    const { stride = 1, relu = true, scale = 2 } = options;
    const [from, to] = channels;
    const name = `c${this.#temporaries}`;
    const weights = this.weights(`${name}.w`, [to, from, kernel, kernel], Math.sqrt(scale / (from * kernel * kernel)));
    const convolved = this.node('Conv', [input, weights, this.filled(`${name}.b`, [to], 0.01)], {
      attributes: [
        attribute.ints('kernel_shape', [kernel, kernel]),
        attribute.ints('strides', [stride, stride]),
        attribute.ints('pads', [pad, pad, pad, pad]),
      ],
    });
    return relu ? this.node('Relu', [convolved]) : convolved;
  }

  /** The model's bytes. */
  build(ports: Pick<Graph, 'inputs' | 'outputs'>, versions?: Versions): Buffer {
    return model({ name: this.#name, nodes: this.#nodes, initializers: this.#initializers, ...ports }, versions);
  }
}

interface NodeOptions {
  readonly attributes?: readonly Buffer[];
  readonly output?: string;
  readonly domain?: string;
}

interface ConvolutionOptions {
  readonly stride?: number;
  readonly relu?: boolean;
  /** Variance of the weights times the number of values that each output sums. */
  readonly scale?: number;
}
