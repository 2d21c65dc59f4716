import { realpathSync } from 'node:fs';
import path from 'node:path';
import { blockField, type Field } from '../../tensors/protobuf.ts';
import { ATTRIBUTE, ENTRY, GRAPH, NODE, TENSOR } from '../graph/onnx-proto.ts';
import { inside, messageOf, textOf } from './onnx-fields.ts';

/** A graph in memory, and the folder where ONNX Runtime finds its external data. */
interface PlacedGraph {
  readonly graph: Buffer;
  readonly folder: string;
}

/** Field numbers of SparseTensorProto, whose members are tensors. */
const GRAPH_SPARSE = 15;
const SPARSE = { values: 1, indices: 2 };

/**
 * Points the external data of a graph at the real files behind links, as folders of Hugging Face's
 * cache and volumes of Kubernetes have them. Why: ONNX Runtime accepts a link out of the model's
 * folder only if it loads the model itself from a file beside the link's target.
 *
 * Only for a model that ONNX Runtime has loaded from its file, so that a link leads nowhere where
 * ONNX Runtime would not read.
 * @param file the model's absolute path, whose folder the data is relative to
 */
export function withRealFiles(graph: Buffer, file: string): PlacedGraph {
  const folder = path.dirname(file);
  const real = new Map<string, string>();
  mapLocations(graph, (location) => {
    real.set(location, realFile(path.join(folder, location)));
    return location;
  });
  if (Array.from(real).every(([location, target]) => target === path.join(folder, location))) return { graph, folder };
  const common = commonFolder(Array.from(real.values(), (target) => path.dirname(target)));
  return { graph: mapLocations(graph, (location) => path.relative(common, real.get(location) ?? '')), folder: common };
}

function realFile(file: string): string {
  try {
    return realpathSync(file);
  } catch {
    return file;
  }
}

/** The deepest folder above all, itself included. */
function commonFolder([first = path.sep, ...others]: readonly string[]): string {
  let common = first;
  const above = (folder: string): boolean => folder === common || folder.startsWith(common.endsWith(path.sep) ? common : common + path.sep);
  while (!others.every(above)) common = path.dirname(common);
  return common;
}

/** Maps the path of a file of external data to another one. */
type NewLocation = (location: string) => string;

/** Copies a GraphProto with other locations of external data, also in its subgraphs. */
function mapLocations(graph: Buffer, map: NewLocation): Buffer {
  return mapped({ value: graph }, (field) => {
    if (field.number === GRAPH.initializer) return tensor(field, map);
    if (field.number === GRAPH_SPARSE) return sparse(field, map);
    return field.number === GRAPH.node ? node(field, map) : field.raw;
  });
}

function node(field: Field, map: NewLocation): Buffer {
  return rewrapped(field, (member) => (member.number === NODE.attribute ? attribute(member, map) : member.raw));
}

function attribute(field: Field, map: NewLocation): Buffer {
  return rewrapped(field, (member) => {
    const { number, value } = member;
    if (number === ATTRIBUTE.tensor || number === ATTRIBUTE.tensors) return tensor(member, map);
    const isGraph = number === ATTRIBUTE.graph || number === ATTRIBUTE.graphs;
    return isGraph && Buffer.isBuffer(value) ? blockField(number, mapLocations(value, map)) : member.raw;
  });
}

function sparse(field: Field, map: NewLocation): Buffer {
  return rewrapped(field, (member) =>
    member.number === SPARSE.values || member.number === SPARSE.indices ? tensor(member, map) : member.raw,
  );
}

function tensor(field: Field, map: NewLocation): Buffer {
  if (messageOf(inside(field), TENSOR.external) === undefined) return field.raw;
  return rewrapped(field, (member) => (member.number === TENSOR.external ? entry(member, map) : member.raw));
}

function entry(field: Field, map: NewLocation): Buffer {
  const fields = inside(field);
  if (textOf(fields, ENTRY.key) !== 'location') return field.raw;
  const location = map(textOf(fields, ENTRY.value) ?? '');
  return blockField(field.number, Buffer.concat([blockField(ENTRY.key, 'location'), blockField(ENTRY.value, location)]));
}

function rewrapped(field: Field, change: (member: Field) => Buffer): Buffer {
  return blockField(field.number, mapped(field, change));
}

function mapped(message: Pick<Field, 'value'>, change: (member: Field) => Buffer): Buffer {
  return Buffer.concat(inside(message).map(change));
}
