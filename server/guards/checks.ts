/**
 * Checks of values that come from outside the process. A check is a type guard: the compiler
 * compares it with the type that it promises, member by member. Each check reads every member once.
 */
export type Check<T> = (value: unknown) => value is T;

/** Any object but an array. */
export const object: Check<Readonly<Record<string, unknown>>> = (value): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
export const text: Check<string> = (value) => typeof value === 'string';
export const flag: Check<boolean> = (value) => typeof value === 'boolean';
export const finite: Check<number> = (value): value is number => Number.isFinite(value);
/** A whole number from 0 to 2^53 - 1. */
export const count: Check<number> = (value): value is number => Number.isSafeInteger(value) && Number(value) >= 0;
/** A whole number from 1 to 2^53 - 1. */
export const positive: Check<number> = (value): value is number => count(value) && value !== 0;

/** A text that the expression matches. */
export const pattern =
  (expression: RegExp): Check<string> =>
  (value): value is string =>
    typeof value === 'string' && expression.test(value);

/** One of these texts. */
export const oneOf =
  <T extends string>(...values: readonly T[]): Check<T> =>
  (value): value is T =>
    values.some((each) => each === value);

/** A value that one of the checks accepts. */
export const either =
  <T extends readonly unknown[]>(...checks: { readonly [At in keyof T]: Check<T[At]> }): Check<T[number]> =>
  (value): value is T[number] =>
    checks.some((check) => check(value));

/** A member that may be absent. */
export const optional =
  <T>(check: Check<T>): Check<T | undefined> =>
  (value): value is T | undefined =>
    value === undefined || check(value);

/** An array whose every item passes. */
export const listOf =
  <T>(check: Check<T>): Check<readonly T[]> =>
  (value): value is readonly T[] =>
    Array.isArray(value) && value.every(check);

/** An object whose every value passes, whatever its names are. */
export const recordOf =
  <T>(check: Check<T>): Check<Readonly<Record<string, T>>> =>
  (value): value is Readonly<Record<string, T>> =>
    object(value) && Object.values(value).every(check);

/** An object with these members. Further members are ignored. */
export const shape = <T extends object>(members: { readonly [Name in keyof T]-?: Check<T[Name]> }): Check<T> => {
  const entries = Object.entries<Check<unknown>>(members);
  return (value): value is T => object(value) && entries.every(([name, check]) => check(value[name]));
};
