/** An output of a function. `binary`: the host writes a text of it as it is. */
export interface FunctionOutput {
  readonly name: string;
  readonly kind: 'http' | 'binary' | 'plain';
}

/** What function.json says of a function, as far as a worker needs it. */
export interface FunctionBindings {
  /** Name of the trigger's binding. */
  readonly input: string;
  /** The trigger is an HTTP request that the host has put into the envelope. */
  readonly http: boolean;
  /** The trigger's data is bytes, which the host sends as base64. */
  readonly binary: boolean;
  readonly outputs: readonly FunctionOutput[];
}

/**
 * The header that carries them to a worker. The server puts it before the headers of the request,
 * so that no client can take its place.
 */
export const BINDINGS_HEADER = 'x-scoring-function-bindings';

const HTTP = /^http$/i;
const HTTP_TRIGGER = /^httpTrigger$/i;
const BINARY = /^binary$/i;
/** What the Functions host takes as a name. `$return` is the function's own value. */
const NAME = /^(?:\$return|[A-Za-z][A-Za-z0-9_]{0,127})$/;
const MOST_BINDINGS = 100;

type Members = Readonly<Record<string, unknown>>;

export function isMembers(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * The bindings of a function.json.
 * @throws Error that says what was expected
 */
export function bindingsOf(json: unknown): FunctionBindings {
  const list = isMembers(json) ? json['bindings'] : undefined;
  if (!Array.isArray(list) || list.length > MOST_BINDINGS)
    throw new Error(
      `bindings: expected a list of at most ${MOST_BINDINGS} objects, got ${Array.isArray(list) ? list.length : typeof list}`,
    );
  const all = list.map(bindingOf);
  const triggers = all.filter(({ type }) => /trigger$/i.test(type));
  const [trigger] = triggers;
  if (trigger === undefined || triggers.length > 1)
    throw new Error(`bindings: expected one whose type ends in Trigger, got ${triggers.length}`);
  return {
    input: trigger.name,
    http: HTTP_TRIGGER.test(trigger.type),
    binary: trigger.binary,
    outputs: all
      .filter(({ direction }) => direction === 'out')
      .map(({ name, type, binary }) => ({ name, kind: HTTP.test(type) ? 'http' : binary ? 'binary' : 'plain' })),
  };
}

/** True if the host sends the function's requests as they came, where that is switched on. */
export function isForwardable({ http, outputs }: FunctionBindings): boolean {
  return http && outputs.length === 1 && outputs[0]?.kind === 'http';
}

interface Binding {
  readonly type: string;
  readonly name: string;
  readonly direction: string;
  readonly binary: boolean;
}

function bindingOf(value: unknown, index: number): Binding {
  const { type, name, direction, dataType } = isMembers(value) ? value : {};
  if (typeof type !== 'string' || typeof name !== 'string' || !NAME.test(name))
    throw new Error(`bindings[${index}]: expected a type, and a name of letters, digits and _`);
  return {
    type,
    name,
    direction: typeof direction === 'string' ? direction.toLowerCase() : 'in',
    binary: typeof dataType === 'string' && BINARY.test(dataType),
  };
}
