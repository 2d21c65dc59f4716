import assert from 'node:assert/strict';
import { Ajv } from 'ajv';

interface Server {
  url(path?: string): Promise<string>;
  score(body: unknown): Promise<Response>;
}

interface Schema {
  readonly example?: unknown;
  readonly description?: string;
}

/**
 * Posts the example that the description of the API has. It must fit the description's own schema.
 * A model that takes no made-up values has none, and the description says so.
 */
export async function assertExampleScores(server: Server, has = true): Promise<void> {
  const answer = await fetch(await server.url('/swagger.json'));
  const { definitions } = (await answer.json()) as { definitions: { ServiceInput: Schema } };
  const { example, ...schema } = definitions.ServiceInput;
  if (!has) {
    assert.equal(example, undefined);
    return assert.match(schema.description ?? '', /^There is no example: /);
  }
  assert.ok(example !== undefined, JSON.stringify(schema).slice(0, 500));
  const ajv = new Ajv({ strict: false });
  assert.ok(ajv.validate(schema, example), JSON.stringify(ajv.errors).slice(0, 500));
  const scored = await server.score(example);
  assert.equal(scored.status, 200, (await scored.text()).slice(0, 500));
}
