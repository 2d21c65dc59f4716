import { type Check, flag, listOf, object, oneOf, optional, shape } from '../guards/checks.ts';
import { isDeeper, MOST_LEVELS } from '../guards/nesting.ts';

/** A value as JSON.parse makes it. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };
/** A schema of Swagger. */
export type Schema = { readonly [key: string]: Json };

const VERSIONS = ['2', '3', '3.1'] as const;

/** The versions of `/swagger.json`. */
export const ALL_VERSIONS: readonly (typeof VERSIONS)[number][] = VERSIONS;

/** Schema of data that nothing declares. */
export const UNDECLARED: Schema = { type: 'object', example: {} };

/** What a script declares of its data. */
export interface ScriptSchemas {
  readonly input: Schema;
  readonly output: Schema;
  /** The versions of `/swagger.json` that can express them. */
  readonly versions: readonly (typeof VERSIONS)[number][];
  /**
   * They are JSON Schema, which each version has in a form of its own. A request must have a body.
   */
  readonly jsonSchema?: boolean | undefined;
}

/** What writes a schema recurses over it. */
const schema: Check<Schema> = (value): value is Schema => object(value) && !isDeeper(value, MOST_LEVELS);

export const scriptSchemas: Check<ScriptSchemas> = shape<ScriptSchemas>({
  input: schema,
  output: schema,
  versions: listOf(oneOf(...VERSIONS)),
  jsonSchema: optional(flag),
});
