import { ALL_VERSIONS, type Json, type Schema, type ScriptSchemas, UNDECLARED } from '../../ipc/script-schemas.ts';
import type { DeclaredSchemas } from './declared-schemas.ts';
import { inferred } from './inferred.ts';

/** Most characters of both schemas: they travel in `ready`, which has at most 4 MiB. */
const MOST_CHARACTERS = 2 * 1024 * 1024;

/** What a sample has shown. */
export interface Shown {
  /** The sample as JSON; undefined: there is none, or it is no JSON. */
  readonly sample: Json | undefined;
  /** What `run()` answered to it as JSON. */
  readonly answer: Json | undefined;
}

type Side = DeclaredSchemas['input'];

/**
 * The schemas of a script for the description of its API. Undefined: nothing is known of its data.
 * @param warn of schemas that are too long
 */
export function documented(
  schemas: Pick<DeclaredSchemas, 'input' | 'output'> | undefined,
  shown: Shown,
  warn: (text: string) => void,
): ScriptSchemas | undefined {
  if (schemas === undefined && shown.sample === undefined) return undefined;
  const { input, output } = schemas ?? {};
  const made = {
    input: sideOf(input, shown.sample),
    output: sideOf(output, shown.answer),
    versions: ALL_VERSIONS.filter((version) => version !== '2' || (input?.mixed !== true && output?.mixed !== true)),
    ...((input?.jsonSchema === true || output?.jsonSchema === true) && { jsonSchema: true }),
  };
  const length = JSON.stringify(made).length;
  if (length <= MOST_CHARACTERS) return made;
  warn(
    `/swagger.json lacks the schemas of run(): they have ${length} characters, and ${MOST_CHARACTERS} are the most. Give shorter samples.`,
  );
  return undefined;
}

/** A type shows its own sample, as Azure's documents do. */
function sideOf(side: Side | undefined, seen: Json | undefined): Schema {
  if (side === undefined) return seen === undefined ? UNDECLARED : inferred(seen);
  const example = side.jsonSchema ? (seen ?? side.example) : side.example;
  return { ...side.shown, ...(example !== undefined && { example }) };
}
