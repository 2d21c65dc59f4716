import { types } from 'node:util';
import { ServerError, stackOfThrown } from '../../errors.ts';

/** An object whose members are exports: a module, `module.exports`, a default export. */
type Holder = Readonly<Record<PropertyKey, unknown>>;

/**
 * Most defaults inside each other: a module that passes on the default of transpiled CommonJS has
 * three holders.
 */
const MOST_HOLDERS = 3;

/**
 * The exports of a script. Named exports come first, then the members of the default export: of an
 * object, of an instance with its methods, or of a class with static members.
 */
export class ScriptExports {
  readonly #path: string;
  readonly #holders: readonly Holder[];

  /** @param namespace what `import()` of the script gives @throws ServerError script_broken */
  constructor(path: string, namespace: Holder) {
    this.#path = path;
    const holders: Holder[] = [];
    // Node lists the members of CommonJS a second time, without the object that they belong to.
    let next: unknown = 'module.exports' in namespace ? namespace['module.exports'] : namespace;
    while (isHolder(next) && holders.length < MOST_HOLDERS && !holders.includes(next)) {
      holders.push(next);
      next = this.#read(next, 'default');
    }
    this.#holders = holders;
  }

  /** The value of an export; undefined if there is none. @throws ServerError script_broken */
  value(name: string): unknown {
    return this.#find(name)?.value;
  }

  /**
   * A function to call as often as needed: `this` is the object whose member it is, or undefined
   * for an export of an ES module. Anything that is no function comes as it is.
   * @throws ServerError script_broken
   */
  callable(name: string): unknown {
    const { value, holder } = this.#find(name) ?? {};
    if (typeof value !== 'function') return value;
    const self = types.isModuleNamespaceObject(holder) ? undefined : holder;
    return Function.prototype.bind.call(value, self);
  }

  /** Names of the exports, methods included. */
  names(): string[] {
    return [...new Set(this.#holders.flatMap((holder) => [...Object.keys(holder), ...methodsOf(holder)]))];
  }

  /** Name of an exported class whose instances have this method. */
  classWith(method: string): string | undefined {
    const exported = this.#holders.flatMap((holder) => [holder, ...Object.keys(holder).map((name) => this.#read(holder, name))]);
    return exported.filter((value) => typeof value === 'function').find(({ prototype }) => method in Object(prototype))?.name;
  }

  #find(name: string): { readonly value: unknown; readonly holder: Holder } | undefined {
    for (const holder of this.#holders) {
      const value = this.#read(holder, name);
      if (value !== undefined) return { value, holder };
    }
    return undefined;
  }

  /** A member may be a getter. */
  #read(holder: Holder, name: string): unknown {
    try {
      return holder[name];
    } catch (cause) {
      const why = stackOfThrown(cause);
      throw new ServerError('script_broken', `User script at ${this.#path}: reading its export \`${name}\` raised an exception: ${why}`, {
        cause,
      });
    }
  }
}

function isHolder(value: unknown): value is Holder {
  return (typeof value === 'object' && value !== null) || typeof value === 'function';
}

/** Members that every class and every function has. */
const EVERY = new Set(['arguments', 'caller', 'constructor', 'length', 'name', 'prototype']);

/** Methods of an instance's classes, and static ones of a class. */
function methodsOf(holder: Holder): string[] {
  const found: string[] = [];
  let at: object | null = typeof holder === 'function' ? holder : Reflect.getPrototypeOf(holder);
  for (; at !== null && at !== Object.prototype && at !== Function.prototype; at = Reflect.getPrototypeOf(at))
    found.push(...Object.getOwnPropertyNames(at).filter((name) => !EVERY.has(name)));
  return found;
}
