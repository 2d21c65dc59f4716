import { inspect } from 'node:util';
import type { RequestContext } from '../entry-script.ts';

/** The members that a script sees, and no others. */
const members: { readonly [Name in keyof RequestContext]: true } = {
  id: true,
  clientRequestId: true,
  protocol: true,
  outputs: true,
  parameters: true,
  inferenceId: true,
  traceId: true,
  traceparent: true,
  method: true,
  url: true,
  query: true,
  headers: true,
  metadata: true,
  signal: true,
};
const names: readonly string[] = Object.keys(members);

/**
 * A request as the script gets it: every member is its own and enumerable, so that `{ ...request }`
 * has them all, and is made when it is read. Members of the worker's request that are not the
 * script's stay out of reach. Why a proxy: own members that are made late need a function each, and
 * functions that are made for each request are slow (server/README.md).
 */
export class ScriptRequest {
  readonly #request: RequestContext;

  private constructor(request: RequestContext) {
    this.#request = request;
  }

  static of(request: RequestContext): RequestContext {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the handler answers for every member
    return new Proxy(new ScriptRequest(request), ScriptRequest.#handler) as unknown as RequestContext;
  }

  /** Properties of the target itself are those that a script has added. */
  static readonly #handler: ProxyHandler<ScriptRequest> = {
    get: (target, key, receiver) => (isMember(key) ? target.#request[key] : Reflect.get(target, key, receiver)),
    has: (target, key) => isMember(key) || Reflect.has(target, key),
    ownKeys: (target) => [...names, ...Reflect.ownKeys(target)],
    getOwnPropertyDescriptor: (target, key) =>
      isMember(key)
        ? { value: target.#request[key], enumerable: true, configurable: true, writable: false }
        : Reflect.getOwnPropertyDescriptor(target, key),
    defineProperty: (target, key, descriptor) => !isMember(key) && Reflect.defineProperty(target, key, descriptor),
    deleteProperty: (target, key) => !isMember(key) && Reflect.deleteProperty(target, key),
    preventExtensions: () => false,
  };

  /** `console.log(request)` shows the members. */
  [inspect.custom](): object {
    return Object.assign({}, this);
  }
}

function isMember(key: PropertyKey): key is keyof RequestContext {
  return Object.hasOwn(members, key);
}
