import { closeSync, fstatSync, openSync, readFileSync, readSync } from 'node:fs';
import { blockHead, FieldReader, varintField } from '../../tensors/protobuf.ts';
import { ATTRIBUTE, FUNCTION, GRAPH, MODEL, NODE, TENSOR, VALUE } from './onnx-proto.ts';

/** Longer blocks hold weights, which nobody reads here. */
const LONG = 1 << 16;
const NONE: ReadonlySet<number> = new Set();
const WINDOW = 1 << 20;
/** Key and length of a field take at most this many bytes. */
const HEAD = 20;

/** What is kept of a long message. */
interface Form {
  /** Fields that are messages themselves, by their number. */
  readonly messages: { [number: number]: Form | undefined };
  /** Fields that are never cut: names, by which a value or a node would become another one. */
  readonly whole?: readonly number[];
  /** Fields that are cut out, however short each is: the lists of an attribute. */
  readonly lists?: ReadonlySet<number>;
}

const lists = new Set([ATTRIBUTE.floats, ATTRIBUTE.ints, ATTRIBUTE.strings, ATTRIBUTE.tensors, ATTRIBUTE.graphs]);
const tensor: Form = { messages: {}, whole: [TENSOR.name, TENSOR.dims] };
const attribute: Form = { messages: { [ATTRIBUTE.tensor]: tensor }, whole: [ATTRIBUTE.name, ATTRIBUTE.reference], lists };
const node: Form = {
  messages: { [NODE.attribute]: attribute },
  whole: [NODE.input, NODE.output, NODE.operator, NODE.domain, NODE.overload],
};
const value: Form = { messages: {}, whole: [VALUE.name, VALUE.type] };
const graph: Form = {
  messages: { [GRAPH.node]: node, [GRAPH.initializer]: tensor, [GRAPH.input]: value, [GRAPH.output]: value },
};
attribute.messages[ATTRIBUTE.graph] = graph;
const local: Form = {
  messages: { [FUNCTION.node]: node, [FUNCTION.defaults]: attribute },
  whole: [FUNCTION.name, FUNCTION.domain, FUNCTION.overload, FUNCTION.input, FUNCTION.output, FUNCTION.opset],
};
const model: Form = { messages: { [MODEL.graph]: graph, [MODEL.function]: local }, whole: [MODEL.opset] };

/** Files of this size are read as they are, which takes less time than to cut them. */
const SMALL = 2 ** 25;

/**
 * The bytes of an ONNX model, of a large one without its weights: fields of more than 64 KiB that
 * are no message are cut out. Needs little memory, however large the file is.
 * @param whole bytes of the largest file that is not cut
 * @throws Error if the file cannot be read; RangeError if it is no protobuf message, or has a name
 * of more than 64 KiB
 */
export function readWithoutWeights(path: string, whole = SMALL): Buffer {
  const fd = openSync(path, 'r');
  try {
    const { size } = fstatSync(fd);
    if (size <= whole) return readFileSync(fd);
    return Buffer.concat(new Cutter(fd, size).message(0, size, model));
  } finally {
    closeSync(fd);
  }
}

/** Copies messages from a file in windows. */
class Cutter {
  readonly #fd: number;
  readonly #size: number;
  #buffer = Buffer.alloc(0);
  #window = this.#buffer;
  #from = 0;

  constructor(fd: number, size: number) {
    this.#fd = fd;
    this.#size = size;
  }

  /** The fields of a message between two offsets, without what is long. */
  message(from: number, to: number, form: Form): Buffer[] {
    const kept: Buffer[] = [];
    let cuts = false;
    // Short fields that follow each other are kept as one piece.
    let [at, short] = [from, from];
    // A copy, because the next window takes the place of this one.
    const keepShort = (): void => void (short < at && kept.push(Buffer.from(this.#bytes(short, at))));
    while (at < to) {
      const head = this.#head(at, to);
      const length = head.to;
      const isList = form.lists?.has(head.number) === true;
      const isLong = length > LONG && head.isBlock;
      if (isList || isLong || at + length - short > LONG) {
        keepShort();
        short = at;
      }
      if (isList) cuts = true;
      else if (isLong) kept.push(...this.#shortened(head, at, form));
      at = isList ? this.#behind(at, to, form.lists ?? NONE) : at + length;
      if (isList || isLong) short = at;
    }
    keepShort();
    return cuts ? [...kept, varintField(ATTRIBUTE.cut, 1)] : kept;
  }

  /** A long field without what is long in it. @throws RangeError if it must be whole */
  #shortened({ number, from, to }: FieldReader, at: number, { messages, whole }: Form): Buffer[] {
    if (whole?.includes(number) === true) throw new RangeError(`expected a name of at most ${LONG} bytes at ${at}, got ${to - from}`);
    const inner = messages[number];
    const parts = inner === undefined ? [] : this.message(at + from, at + to, inner);
    const length = parts.reduce((sum, part) => sum + part.length, 0);
    return [blockHead(number, length), ...parts];
  }

  /** The offset behind fields that are cut out. Walks without an object for each. */
  #behind(at: number, to: number, numbers: ReadonlySet<number>): number {
    for (let from = at; from < to;) {
      const bytes = this.#bytes(from, Math.min(from + WINDOW, to));
      const fields = new FieldReader(bytes, Infinity, 0, to - from);
      const end = from + bytes.length < to ? bytes.length - HEAD : bytes.length;
      while (fields.to < end && fields.next()) if (!numbers.has(fields.number)) return from + fields.start;
      from += fields.to;
    }
    return to;
  }

  /** The field at an offset, counted from there. @throws RangeError if it is damaged */
  #head(at: number, to: number): FieldReader {
    const reader = new FieldReader(this.#bytes(at, Math.min(at + HEAD, to)), Infinity, 0, to - at);
    reader.next();
    return reader;
  }

  #bytes(from: number, to: number): Buffer {
    if (from < this.#from || to > this.#from + this.#window.length) this.#load(from, to);
    return this.#window.subarray(from - this.#from, to - this.#from);
  }

  #load(from: number, to: number): void {
    const length = Math.min(Math.max(WINDOW, to - from), this.#size - from);
    // All that is kept is copied, so one buffer serves all windows.
    if (this.#buffer.length < length) this.#buffer = Buffer.allocUnsafe(length);
    const window = this.#buffer.subarray(0, length);
    let filled = 0;
    while (filled < length) {
      const count = readSync(this.#fd, window, filled, length - filled, from + filled);
      if (count === 0) throw new RangeError(`expected ${to - from} bytes at ${from}, got the end of the file`);
      filled += count;
    }
    this.#window = window;
    this.#from = from;
  }
}
