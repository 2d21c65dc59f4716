import type { Call, Rule } from './call.ts';
import { Refusal, type Value } from './value.ts';

// Integers divide without a rest and floats do not, so that known entries also tell their kind.

/** Data types of onnx.proto: float, float16, double and bfloat16. */
const FLOATS = new Set([1, 10, 11, 16]);
const OWN = new Set(['Constant', 'ConstantOfShape']);
const WHOLE = new Set('And Equal Greater GreaterOrEqual Less LessOrEqual NonZero Not Or Shape Size'.split(' '));

/** True if the entries of the result are floats. */
function givesFloats(call: Call): boolean {
  if (call.operator === 'Cast') return FLOATS.has(call.int('to', 0));
  return !WHOLE.has(call.operator) && call.isFloat(call.operator === 'Where' ? 1 : 0);
}

const isList = (values: Value | readonly Value[]): values is readonly Value[] => Array.isArray(values);

const marked = (value: Value, float: boolean): Value =>
  value instanceof Refusal || value.elements === undefined || (value.float ?? false) === float ? value : { ...value, float };

/** The rules, where known entries keep their kind from operator to operator. */
export function followingFloats(rules: Readonly<Record<string, Rule>>): Readonly<Record<string, Rule>> {
  const marking =
    (rule: Rule): Rule =>
    (call) => {
      const values = rule(call);
      if (OWN.has(call.operator)) return values;
      const float = givesFloats(call);
      return isList(values) ? values.map((value) => marked(value, float)) : marked(values, float);
    };
  return Object.fromEntries(Object.entries(rules).map(([operator, rule]) => [operator, marking(rule)]));
}
