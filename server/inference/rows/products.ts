import { broadcast, refuseOtherRows } from './broadcast.ts';
import type { Call, Rule } from './call.ts';
import { ONE, type Size } from './size.ts';
import { mixed, shaped, unknown, type RowAxis, type Shaped } from './value.ts';

/** Names of axes in order. Axes of one name have one index: see `contracted`. */
export type Labels = readonly string[];

/**
 * Sums of products over all axes that the result does not name, as an Einstein summation.
 * @param labels one name for each axis of each tensor; axes of one entry are broadcast
 * @throws Refusal if rows meet other rows, are summed, or stand on a diagonal
 */
export function contracted(tensors: readonly Shaped[], labels: readonly Labels[], result: Labels): Shaped {
  const names = [...new Set(labels.flat())];
  const { dims, row } = broadcast(tensors.map((tensor, index) => aligned(tensor, labels[index] ?? [], names)));
  const axis = row === undefined ? -1 : result.indexOf(names[row.axis] ?? '');
  if (row !== undefined && axis < 0) throw mixed('it sums products over rows of different calls');
  return shaped(
    result.map((name) => sizeOf(name, names, dims)),
    row && { ...row, axis },
  );
}

function sizeOf(name: string, names: Labels, dims: readonly Size[]): Size {
  const size = dims[names.indexOf(name)];
  if (size === undefined) throw unknown('its result has an axis that no input has');
  return size;
}

/** A tensor with one axis for each name. */
function aligned({ dims, row }: Shaped, labels: Labels, names: Labels): Shaped {
  if (labels.length !== dims.length) throw unknown(`it expects ${labels.length} axes and has ${dims.length}`);
  const name = row && labels[row.axis];
  if (name !== undefined && labels.indexOf(name) !== labels.lastIndexOf(name)) throw mixed('it reads a diagonal across rows');
  const moved: RowAxis | undefined = row && { ...row, axis: names.indexOf(name ?? '') };
  return shaped(
    names.map((each) => dims[labels.indexOf(each)] ?? ONE),
    moved,
  );
}

/** Names of axes that are aligned from the last one. */
export const stacked = (count: number): string[] => Array.from({ length: count }, (_, index) => `.${count - index}`);

/**
 * The product of two stacks of matrices (numpy's `matmul`). A tensor of one axis is one row of the
 * first matrix, or one column of the second.
 * @throws Refusal if rows meet
 */
export function matrixProduct(one: Shaped, other: Shaped): Shaped {
  const [left, right] = [one.dims.length, other.dims.length];
  if (left === 0 || right === 0) throw unknown('it multiplies a number, not a matrix');
  const [ofOne, ofOther] = [stacked(left - 2), stacked(right - 2)];
  const stack = ofOne.length > ofOther.length ? ofOne : ofOther;
  const [m, n] = [left > 1 ? ['m'] : [], right > 1 ? ['n'] : []];
  return contracted(
    [one, other],
    [
      [...ofOne, ...m, 'k'],
      [...ofOther, 'k', ...n],
    ],
    [...stack, ...m, ...n],
  );
}

export const gemm: Rule = (call) => {
  const labels = [call.int('transA', 0) === 0 ? ['m', 'k'] : ['k', 'm'], call.int('transB', 0) === 0 ? ['k', 'n'] : ['n', 'k']];
  const product = contracted([call.tensor(0), call.tensor(1)], labels, ['m', 'n']);
  if (!call.has(2)) return product;
  refuseOtherRows(product, call.tensor(2));
  return product;
};

const einsum: Rule = (call) => {
  const tensors = call.tensors();
  const [inputs = '', result, ...more] = (call.attributes.text('equation') ?? '').replaceAll(' ', '').split('->');
  const terms = inputs.split(',');
  if (terms.length !== tensors.length || more.length > 0) throw unknown('its equation does not fit its inputs');
  const labels = terms.map((term, index) => labelsOf(term, tensors[index]?.dims.length ?? 0));
  const dots = stacked(Math.max(...labels.map((each) => each.filter((name) => name.startsWith('.')).length)));
  if (result === undefined) return contracted(tensors, labels, implied(labels, dots));
  const named = labelsOf(result, lettersOf(result).length + dots.length);
  if (new Set(named).size < named.length) throw unknown('its equation repeats an axis of the result');
  return contracted(tensors, labels, named);
};

const lettersOf = (term: string): string[] => term.replace('...', '').split('');

/** Names of the axes of a term. An ellipsis stands for all axes that have no letter. */
function labelsOf(term: string, rank: number): string[] {
  const letters = lettersOf(term);
  if (!/^[A-Za-z]*(\.\.\.)?[A-Za-z]*$/.test(term)) throw unknown(`its equation has the term '${term}'`);
  const from = term.indexOf('...');
  const axes = from < 0 ? [] : stacked(rank - letters.length);
  if (letters.length + axes.length !== rank) throw unknown(`the term '${term}' of its equation does not fit its input`);
  return from < 0 ? letters : [...letters.slice(0, from), ...axes, ...letters.slice(from)];
}

/** The result where an equation names none: the ellipsis, then single letters in order. */
function implied(labels: readonly Labels[], dots: Labels): string[] {
  const letters = labels.flat().filter((name) => !name.startsWith('.'));
  const once = letters.filter((name) => letters.indexOf(name) === letters.lastIndexOf(name)).toSorted();
  if (/[a-z]/.test(once.join('')) && /[A-Z]/.test(once.join(''))) throw unknown('the order of capital and small letters is not settled');
  return [...dots, ...once];
}

const determinant: Rule = (call) => {
  const { dims, row } = call.tensor(0);
  const rank = dims.length - 2;
  if (rank < 0) throw unknown('it expects matrices');
  if (row !== undefined && row.axis >= rank) throw mixed('it reads a matrix of rows of different calls');
  return shaped(dims.slice(0, rank), row);
};

const product = (call: Call): Shaped => matrixProduct(call.tensor(0), call.tensor(1));

/** Operators of the default domain that sum products. */
export const products: Readonly<Record<string, Rule>> = {
  Det: determinant,
  Einsum: einsum,
  Gemm: gemm,
  MatMul: product,
};
