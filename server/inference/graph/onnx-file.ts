import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { blockHead, FieldReader } from '../../tensors/protobuf.ts';
import { ATTRIBUTE, FUNCTION, GRAPH, MODEL, NODE } from './onnx-proto.ts';

/** Longer blocks hold weights, which nobody reads here. */
const LONG = 1 << 16;
const WINDOW = 1 << 20;
/** Key and length of a field take at most this many bytes. */
const HEAD = 20;

/** What is kept of a long message. */
interface Form {
  /** Fields that are messages themselves, by their number. */
  readonly messages: { [number: number]: Form | undefined };
  /** Fields from this number on are cut off: the lists of an attribute. */
  readonly end?: number;
}

const tensor: Form = { messages: {} };
const attribute: Form = { messages: { [ATTRIBUTE.tensor]: tensor }, end: ATTRIBUTE.floats };
const node: Form = { messages: { [NODE.attribute]: attribute } };
const graph: Form = { messages: { [GRAPH.node]: node, [GRAPH.initializer]: tensor } };
attribute.messages[ATTRIBUTE.graph] = graph;
const model: Form = { messages: { [MODEL.graph]: graph, [MODEL.function]: { messages: { [FUNCTION.node]: node } } } };

/**
 * The bytes of an ONNX model without its weights: fields of more than 64 KiB that are no message
 * are cut out. Needs little memory, however large the file is.
 * @throws Error if the file cannot be read; RangeError if it is no protobuf message
 */
export function readWithoutWeights(path: string): Buffer {
  const fd = openSync(path, 'r');
  try {
    const { size } = fstatSync(fd);
    return Buffer.concat(new Cutter(fd, size).message(0, size, model));
  } finally {
    closeSync(fd);
  }
}

/** Copies messages from a file in windows. */
class Cutter {
  readonly #fd: number;
  readonly #size: number;
  #window = Buffer.alloc(0);
  #from = 0;

  constructor(fd: number, size: number) {
    this.#fd = fd;
    this.#size = size;
  }

  /** The fields of a message between two offsets, without what is long. */
  message(from: number, to: number, form: Form): Buffer[] {
    const kept: Buffer[] = [];
    let [at, short] = [from, from];
    // A copy, because a view would keep its window alive.
    const keepShort = (): void => void (short < at && kept.push(Buffer.from(this.#bytes(short, at))));
    while (at < to) {
      const head = this.#head(at, to);
      if (form.end !== undefined && head.number >= form.end) break;
      const length = head.to;
      if (length > LONG || at + length - short > LONG) {
        keepShort();
        short = at;
      }
      if (length > LONG) {
        const inner = form.messages[head.number];
        const parts = inner === undefined ? [] : this.message(at + head.from, at + length, inner);
        kept.push(
          blockHead(
            head.number,
            parts.reduce((sum, part) => sum + part.length, 0),
          ),
          ...parts,
        );
        short = at + length;
      }
      at += length;
    }
    keepShort();
    return kept;
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
    const window = Buffer.allocUnsafe(length);
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
