import { broadcast } from './broadcast.ts';
import type { Call, Rule } from './call.ts';
import { equal, exactly, isAxisSize, isExact, isNumber, isWhole, negative, number, plus, shared, times, ZERO, type Size } from './size.ts';
import { constant, type Shaped, type Tracked } from './value.ts';

/** An entry of the result from entries of the inputs; undefined: it may depend on rows. */
type Fold = (...entries: readonly (Size | undefined)[]) => Size | undefined;

/** Each entry depends on entries at the same place only. All inputs are broadcast. */
export const entrywise: Rule = (call) => broadcast(present(call).map((index) => call.tensor(index)));

const present = (call: Call): number[] => Array.from({ length: call.count }, (_, index) => index).filter((index) => call.has(index));

/** Each entry depends on the same entry of the first input. Other inputs are constants. */
export const eachEntry: Rule = (call) => {
  for (let index = 1; index < call.count; index++) if (call.has(index)) call.constant(index);
  const { dims, row } = call.settled(0);
  return { dims, row };
};

/** An operator on entries that also computes sizes, so that small constants are folded. */
const folding =
  (fold: Fold): Rule =>
  (call) => {
    const inputs = Array.from({ length: call.count }, (_, index) => call.counting(index));
    if (!foldable(inputs)) return inputs.length === 1 ? eachEntry(call) : entrywise(call);
    const tensors = inputs.map((_, index) => call.shape(index));
    const length = tensors.map(entriesOf).find((entries) => entries !== 1) ?? 1;
    const entryOf = ({ elements = [] }: Shaped, at: number): Size | undefined => elements[elements.length === 1 ? 0 : at];
    const elements = Array.from({ length }, (_, at) => fold(...tensors.map((tensor) => entryOf(tensor, at))));
    return constant(broadcast(tensors).dims, elements.some(isBeyond) ? undefined : elements);
  };

/** True for a number that may be another one in the dtype of a tensor, which wraps around. */
const isBeyond = (entry: Size | undefined): boolean => entry !== undefined && Math.abs(entry.factor) >= 2 ** 31;

const entriesOf = ({ elements }: Tracked): number => elements?.length ?? 0;

/** True if small constants meet one by one, or one entry meets all. */
function foldable(inputs: readonly Tracked[]): boolean {
  if (inputs.some(({ row, elements, dims }) => row !== undefined || elements === undefined || dims === undefined)) return false;
  const long = inputs.filter((input) => entriesOf(input) !== 1);
  return long.every((input) => input.dims?.length === 1 && entriesOf(input) === entriesOf(long[0] ?? input));
}

type Numbers = (...entries: readonly number[]) => number;

/** Folds plain numbers by a function. Others, and results that may be rounded, get a name. */
const named =
  (name: string, of: Numbers): Fold =>
  (...entries) => {
    const numbers = entries.filter((entry) => entry !== undefined && isNumber(entry)).map((entry) => entry?.factor ?? 0);
    if (numbers.length < entries.length || numbers.some((entry) => Math.abs(entry) > Number.MAX_SAFE_INTEGER))
      return shared(name, ...entries);
    const value = of(...numbers);
    return isExact(value) ? number(value) : shared(name, ...entries);
  };

/** Folds by a function of sizes, else and for plain numbers as `named`. */
const sized =
  (fold: (one: Size, other: Size) => Size | undefined, otherwise: Fold): Fold =>
  (one, other) =>
    (one && other && !(isNumber(one) && isNumber(other)) ? fold(one, other) : undefined) ?? otherwise(one, other);

/** A size stays as it is where an operator changes fractions only. */
const wholes =
  (name: string, of: Numbers): Fold =>
  (entry) =>
    entry !== undefined && !isNumber(entry) && isWhole(entry) ? entry : named(name, of)(entry);

/** The nearest whole number, and the even one of two. */
const rounded = (value: number): number => (value - Math.floor(value) === 0.5 ? 2 * Math.round(value / 2) : Math.round(value));

const truth = (value: boolean): number => (value ? 1 : 0);

/** Sizes are compared where the answer is the same whatever the symbols stand for. */
const sameEntries: Fold = (one, other) => {
  if (one === undefined || other === undefined) return undefined;
  if (equal(one, other) && Number.isFinite(one.factor) && Number.isSafeInteger(Math.trunc(one.factor))) return number(1);
  // A number of rows, or of anything else, is never negative.
  const negativeOne = [one, other].some((each) => isNumber(each) && each.factor < 0);
  if (negativeOne && [one, other].every((each) => isNumber(each) || isAxisSize(each))) return ZERO;
  return named('equal', (left = 0, right = 0) => truth(left === right))(one, other);
};

const modulo = named('mod', (one = 0, other = 1) => one - other * Math.floor(one / other));

const choose: Fold = (condition, one, other) => {
  if (condition === undefined) return undefined;
  if (isNumber(condition)) return condition.factor === 0 ? other : one;
  if (one !== undefined && other !== undefined && equal(one, other)) return one;
  return shared('where', condition, one, other);
};

/** Data types of onnx.proto. */
const FLOAT = 1;
const BOOL = 9;
const INT64 = 7;
/** Types that hold every size: float, int32, int64 and double. */
const WIDE = new Set([FLOAT, 6, INT64, 11]);

/**
 * Whole numbers stay where the type holds them. Others may lose their fraction, or have lost it
 * before, so they get a name.
 */
const casting = (to: number, ofInts: boolean): Fold => {
  if (to === BOOL) return named('bool', (entry) => truth(entry !== 0));
  const fits = (entry: Size): boolean => (to === INT64 && ofInts) || !isNumber(entry) || isExact(entry.factor);
  return (entry) => (entry === undefined || (isWhole(entry) && WIDE.has(to) && fits(entry)) ? entry : shared(`cast${to}`, entry));
};

/** Floats keep the rest, and round; integers lose it. */
const ratio = sized(
  (one, other) => (isWhole(one) && isWhole(other) ? exactly(one, other) : undefined),
  named('ratio', (one = 0, other = 0) => one / other),
);
const quotient = sized(
  exactly,
  named('div', (one = 0, other = 0) => Math.trunc(one / other)),
);

/** The same rule for several operators, named in one text. */
export const all = (rule: Rule, operators: string): Record<string, Rule> =>
  Object.fromEntries(operators.split(' ').map((operator) => [operator, rule]));

const ONE_INPUT = `Abs Acos Acosh Asin Asinh Atan Atanh BitwiseNot Celu Clip Cos Cosh Elu Erf Exp Gelu HardSigmoid HardSwish IsInf IsNaN LeakyRelu Log Mish Reciprocal Relu Selu Shrink Sigmoid Sign Sin Sinh Softplus Softsign Swish Tan Tanh ThresholdedRelu`;
const SEVERAL_INPUTS = 'BitShift BitwiseAnd BitwiseOr BitwiseXor Mean PRelu Pow Sum Xor';

/** Operators of the default domain that work entry by entry. */
export const elementwise: Readonly<Record<string, Rule>> = {
  ...all(eachEntry, ONE_INPUT),
  ...all(entrywise, SEVERAL_INPUTS),
  Add: folding(
    sized(
      plus,
      named('add', (one = 0, other = 0) => one + other),
    ),
  ),
  Sub: folding(
    sized(
      (one, other) => plus(one, negative(other)),
      named('sub', (one = 0, other = 0) => one - other),
    ),
  ),
  Mul: folding(
    sized(
      times,
      named('mul', (one = 0, other = 0) => one * other),
    ),
  ),
  Div: (call) => folding(call.isFloat(0) || call.isFloat(1) ? ratio : quotient)(call),
  // The rest has the sign of the divisor, but with `fmod` that of the dividend.
  Mod: (call) => folding(call.int('fmod', 0) === 1 ? named('fmod', (one = 0, other = 1) => one % other) : modulo)(call),
  Neg: folding((entry) => entry && negative(entry)),
  Max: folding(named('max', Math.max)),
  Min: folding(named('min', Math.min)),
  Equal: folding(sameEntries),
  Greater: folding(named('greater', (one = 0, other = 0) => truth(one > other))),
  GreaterOrEqual: folding(named('greatest', (one = 0, other = 0) => truth(one >= other))),
  Less: folding(named('less', (one = 0, other = 0) => truth(one < other))),
  LessOrEqual: folding(named('least', (one = 0, other = 0) => truth(one <= other))),
  And: folding(named('and', (one, other) => truth(one !== 0 && other !== 0))),
  Or: folding(named('or', (one, other) => truth(one !== 0 || other !== 0))),
  Not: folding(named('not', (entry) => truth(entry === 0))),
  Where: folding(choose),
  Cast: (call) => folding(casting(call.int('to', FLOAT), !call.isFloat(0)))(call),
  CastLike: (call) => {
    call.counting(1);
    const { dims, row } = call.settled(0);
    return { dims, row };
  },
  Identity: (call) => call.any(0),
  Ceil: folding(wholes('ceil', Math.ceil)),
  Floor: folding(wholes('floor', Math.floor)),
  Round: folding(wholes('round', rounded)),
  Sqrt: folding(named('sqrt', Math.sqrt)),
};
