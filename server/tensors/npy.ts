/**
 * Files of numpy (`numpy.save`), versions 1 to 3: a header, which is a literal of Python, and the
 * elements. numpy documents the format in `numpy.lib.format`.
 */

import { isUtf8 } from 'node:buffer';
import type { Tensor } from '../entry-script.ts';
import { excerpt } from '../guards/excerpt.ts';
import { columnOf, type Dtype, dtypeEntries, type DtypeRow, type TensorData } from './dtypes.ts';
import { misfit } from './infer-request.ts';
import { fromBytes, toBytes } from './tensor-bytes.ts';
import { expectedShape, isShape, sizeOf } from './tensor-shape.ts';

const MAGIC = Buffer.from('\x93NUMPY', 'latin1');
/** As numpy itself refuses longer headers. */
const LONGEST_HEADER = 10_000;
/** The header ends where elements of any type are aligned. */
const ALIGNMENT = 64;
/** Bytes of a character, in arrays of texts. */
const WIDE = 4;
const HIGHEST = 0x10_ffff;
const WHERE = 'the npy file';

/** The name of each dtype in headers, without its byte order; undefined: `U` and a length. */
const codes = columnOf(codeOf);
const dtypeByCode: ReadonlyMap<string, Dtype> = new Map(
  dtypeEntries.flatMap(([dtype]) => (codes[dtype] === undefined ? [] : [[codes[dtype], dtype] as const])),
);

function codeOf(row: DtypeRow): string | undefined {
  if (row.array === undefined) return undefined;
  const width = row.array.BYTES_PER_ELEMENT;
  switch (row.kind) {
    case 'boolean':
      return 'b1';
    case 'float':
      return `f${width}`;
    case 'integer':
    case 'bigint':
      return `${row.least < 0 ? 'i' : 'u'}${width}`;
    default:
      return row satisfies never;
  }
}

interface Header {
  /** Byte order, kind and width. */
  readonly descr: string;
  readonly fortran: boolean;
  readonly shape: readonly number[];
}

/**
 * The array of a file, row-major. A view where the bytes allow it.
 * @param name of the input, for errors
 * @throws ServerError invalid_input
 */
export function readNpy(name: string, bytes: Buffer): Tensor {
  const { header, content } = split(bytes);
  const { descr, fortran, shape } = parseHeader(header);
  const [, order = '', code = ''] = /^([<>|=]?)(.*)$/s.exec(descr) ?? [];
  if (order === '>')
    throw misfit(WHERE, "little-endian elements: array.astype(array.dtype.newbyteorder('<'))", `the type ${excerpt(descr)}`);
  const stored = fortran ? shape.toReversed() : shape;
  // Texts of no characters would have any number of elements in no bytes.
  const texts = /^U([1-9]\d{0,8})$/.exec(code)?.[1];
  const type = texts === undefined ? dtypeByCode.get(code) : 'string';
  if (type === undefined)
    throw misfit(WHERE, `a type of ${Array.from(dtypeByCode.keys()).join(', ')} or texts (U1 or longer)`, `the type ${excerpt(descr)}`);
  const data = texts === undefined ? fromBytes(name, type, stored, content) : wideTexts(shape, Number(texts), content);
  return { type, dims: shape, data: fortran ? rowMajor(data, shape) : data };
}

/** Bytes of the elements in a file: one long text makes all texts as long. */
export function npyBytes({ data }: Tensor): number {
  return Array.isArray(data) ? data.length * widthOf(data) * WIDE : data.byteLength;
}

/** A file of version 1, in parts. */
export function writeNpy(tensor: Tensor): Uint8Array[] {
  const { type, dims } = tensor;
  const texts = Array.isArray(tensor.data) ? wideBytes(tensor.data) : undefined;
  const code = texts === undefined ? codes[type] : `U${texts.width}`;
  const order = code === 'b1' || code === 'u1' || code === 'i1' ? '|' : '<';
  const shape = dims.length === 1 ? `${dims[0]},` : dims.join(', ');
  const text = `{'descr': '${order}${code}', 'fortran_order': False, 'shape': (${shape}), }`;
  const begin = MAGIC.length + 4;
  const length = Math.ceil((begin + text.length + 1) / ALIGNMENT) * ALIGNMENT - begin;
  const head = Buffer.alloc(begin + length, ' ');
  MAGIC.copy(head);
  head.writeUInt16LE(1, MAGIC.length);
  head.writeUInt16LE(length, MAGIC.length + 2);
  head.write(text, begin, 'latin1');
  head.write('\n', head.length - 1);
  return [head, texts?.bytes ?? toBytes(tensor)];
}

function split(bytes: Buffer): { readonly header: string; readonly content: Buffer } {
  const begin = MAGIC.length + 2;
  if (!bytes.subarray(0, MAGIC.length).equals(MAGIC) || bytes.length < begin + 4)
    throw misfit(WHERE, 'the bytes that numpy.save writes', `${bytes.length} other bytes`);
  const version = bytes.readUInt8(MAGIC.length);
  if (version < 1 || version > 3) throw misfit(WHERE, 'version 1, 2 or 3 of the format', String(version));
  const from = begin + (version === 1 ? 2 : 4);
  const length = version === 1 ? bytes.readUInt16LE(begin) : bytes.readUInt32LE(begin);
  if (length > LONGEST_HEADER) throw misfit(WHERE, `a header of at most ${LONGEST_HEADER} bytes`, String(length));
  const header = bytes.subarray(from, from + length);
  if (header.length < length || !isUtf8(header)) throw misfit(WHERE, `a header of ${length} bytes of text`, 'another end');
  return { header: header.toString(), content: bytes.subarray(from + length) };
}

const MEMBER = /\s*'(descr|fortran_order|shape)'\s*:\s*(?:'([^'\\]*)'|(True|False)|\(([\d\s,L]*)\))\s*(,|(?=\}))/y;

/** The header is a dictionary of three members, in any order. */
function parseHeader(text: string): Header {
  const wrong = (): Error => misfit(WHERE, "a header of 'descr', 'fortran_order' and 'shape' of a plain array", excerpt(text));
  const found = new Map<string, string>();
  let at = text.startsWith('{') ? 1 : text.length;
  for (;;) {
    MEMBER.lastIndex = at;
    const match = MEMBER.exec(text);
    if (match === null) break;
    const [, name = '', word, flag, tuple] = match;
    const value = { descr: word, fortran_order: flag, shape: tuple }[name];
    if (value === undefined || found.has(name)) throw wrong();
    found.set(name, value);
    at = MEMBER.lastIndex;
  }
  if (found.size < 3 || !/^\s*\}\s*$/.test(text.slice(at))) throw wrong();
  return { descr: found.get('descr') ?? '', fortran: found.get('fortran_order') === 'True', shape: shapeOf(found.get('shape') ?? '') };
}

function shapeOf(tuple: string): readonly number[] {
  const sizes = tuple.split(',').map((size) => size.trim());
  if (sizes.at(-1) === '') sizes.pop();
  // Python 2 wrote an L behind long numbers.
  const shape = sizes.map((size) => (/^\d{1,16}L?$/.test(size) ? Number.parseInt(size, 10) : NaN));
  if (!isShape(shape)) throw misfit(WHERE, `a shape of ${expectedShape(shape)}`, `(${excerpt(tuple)})`);
  return shape;
}

/** Elements of Fortran's order, whose first index changes fastest, in rows. */
function rowMajor(data: TensorData, shape: readonly number[]): TensorData {
  if (shape.length < 2 || data.length === 0) return data;
  const strides = shape.map((_, axis) => sizeOf(shape.slice(0, axis)));
  const place = shape.map(() => 0);
  let from = 0;
  const next = (): number => {
    const at = from;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      const [size = 1, stride = 1, index = 0] = [shape[axis], strides[axis], place[axis]];
      from += stride;
      if (index + 1 < size) {
        place[axis] = index + 1;
        break;
      }
      from -= stride * size;
      place[axis] = 0;
    }
    return at;
  };
  if (Array.isArray(data)) return Array.from(data, () => data[next()] ?? '');
  const rows = data.slice();
  for (let at = 0; at < rows.length; at++) rows[at] = data[next()] ?? 0;
  return rows;
}

/** Texts of a fixed number of characters, which NULs fill up. */
function wideTexts(shape: readonly number[], width: number, bytes: Buffer): string[] {
  const size = sizeOf(shape);
  if (bytes.length !== size * width * WIDE)
    throw misfit(WHERE, `${size * width * WIDE} bytes for the shape [${shape.join(',')}] of texts`, String(bytes.length));
  return Array.from({ length: size }, (_, index) => {
    let text = '';
    for (let at = 0; at < width; at++) {
      const character = bytes.readUInt32LE((index * width + at) * WIDE);
      if (character > HIGHEST) throw misfit(WHERE, 'characters of Unicode', String(character));
      text += String.fromCodePoint(character);
    }
    return withoutNuls(text);
  });
}

/** No pattern: one that ends in `$` takes quadratic time for NULs before other characters. */
function withoutNuls(text: string): string {
  let end = text.length;
  while (text.charCodeAt(end - 1) === 0) end--;
  return text.slice(0, end);
}

function wideBytes(texts: readonly string[]): { readonly width: number; readonly bytes: Buffer } {
  const width = widthOf(texts);
  const bytes = Buffer.alloc(texts.length * width * WIDE);
  for (const [index, text] of texts.entries()) {
    let at = index * width * WIDE;
    for (const character of text) at = bytes.writeUInt32LE(character.codePointAt(0) ?? 0, at);
  }
  return { width, bytes };
}

/** Characters of the longest text; at least one, as numpy has it. */
function widthOf(texts: readonly string[]): number {
  return texts.reduce((most, text) => (text.length <= most ? most : Math.max(most, Array.from(text).length)), 1);
}
