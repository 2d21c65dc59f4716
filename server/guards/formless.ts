import { types } from 'node:util';
import { tagOf } from './built-ins.ts';
import { isError } from './thrown-copy.ts';

/** A value that JSON.stringify would write as `{}`, or as its inner parts. */
export interface Formless {
  /** With its article. */
  readonly what: string;
  /** The value to return in its place. */
  readonly instead: string;
}

const row = (what: string, instead: string): Formless => ({ what, instead });

const AN_ERROR = row('an Error', 'error.message, or throw the error');
const A_PROMISE = row('a Promise', 'its value: await it');
const A_STREAM = row('a stream or an async iterator', 'it alone, which streams it, or await Array.fromAsync(it)');

/** By the tag of `Object.prototype.toString`, which subclasses and other realms share. */
const byTag: Readonly<Record<string, Formless>> = {
  Map: row('a Map', 'Object.fromEntries(map) or [...map]'),
  Set: row('a Set', '[...set]'),
  WeakMap: row('a WeakMap', 'the values that you need'),
  WeakSet: row('a WeakSet', 'the values that you need'),
  WeakRef: row('a WeakRef', 'ref.deref()'),
  RegExp: row('a RegExp', 'String(regexp)'),
  Error: AN_ERROR,
  DOMException: AN_ERROR,
  Promise: A_PROMISE,
  ArrayBuffer: row('an ArrayBuffer', 'new Uint8Array(buffer) for numbers, new Response(buffer) for the bytes alone'),
  SharedArrayBuffer: row('a SharedArrayBuffer', 'new Uint8Array(buffer) for numbers'),
  Blob: row('a Blob', 'await blob.text(), or new Response(blob) for it alone'),
  File: row('a File', 'await file.text(), or new Response(file) for it alone'),
  FormData: row('a FormData', 'Object.fromEntries(form), or new Response(form) for it alone'),
  Headers: row('a Headers', 'Object.fromEntries(headers)'),
  URLSearchParams: row('a URLSearchParams', 'Object.fromEntries(params) or String(params)'),
  Request: row('a Request', 'await request.json(), or the members that you need'),
  Response: row('a Response', 'it alone, or await response.json()'),
  ReadableStream: A_STREAM,
  AsyncGenerator: A_STREAM,
  Generator: row('a generator', 'it alone, which streams it, or [...generator]'),
  Iterator: row('an iterator', 'it alone, which streams it, or [...iterator]'),
};

/**
 * What a value is whose JSON would not hold its content; undefined for arrays, plain objects and
 * instances of other classes, of which JSON has the enumerable members. A value with a `toJSON` has
 * a form: ask before.
 */
export function formless(value: object): Formless | undefined {
  if (Array.isArray(value) || ArrayBuffer.isView(value)) return undefined;
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === Object.prototype || prototype === null) return undefined;
  const tag = tagOf.call(value).slice('[object '.length, -1);
  const known = Object.hasOwn(byTag, tag) ? byTag[tag] : undefined;
  if (known !== undefined) return known;
  if (isError(value)) return AN_ERROR;
  if (types.isPromise(value) || ('then' in value && typeof value.then === 'function')) return A_PROMISE;
  if (Symbol.asyncIterator in value) return A_STREAM;
  if (tag.endsWith(' Iterator') || tag === 'Iterator Helper') return byTag['Iterator'];
  return Object.keys(value).length === 0 && !types.isBoxedPrimitive(value) && (tag !== 'Object' || hasGetters(prototype))
    ? row('an instance of a class without enumerable members', 'an object with the members that you need')
    : undefined;
}

/** True for a class of which instances keep their content private, and show it by getters. */
function hasGetters(prototype: unknown): boolean {
  const parent: unknown = Object.getPrototypeOf(prototype);
  // The class of all objects, of any realm, has one for `__proto__`.
  if (parent === null) return false;
  return Object.values(Object.getOwnPropertyDescriptors(prototype)).some((member) => 'get' in member) || hasGetters(parent);
}
