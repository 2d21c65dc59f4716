/**
 * A package from npm checks the body. A wrong one is a 422 that lists every mistake.
 *
 * npm install --prefix docs/cookbook/validation
 * npm start -- --entry-script docs/cookbook/validation/score.ts
 * sh docs/cookbook/validation/try.sh
 */

import { ScoringError } from 'scoring-server';
import { z } from 'zod';

const House = z.strictObject({
  rooms: z.int().min(1).max(100),
  area: z.number().positive(),
});

export function init() {}

export function run(body: unknown) {
  const { success, data: house, error } = House.safeParse(body);
  if (!success) {
    const mistakes = error.issues.map(({ path, message }) => ({ path: path.join('.'), message }));
    throw new ScoringError(422, { message: 'the body is not a house', mistakes });
  }
  return { price: house.rooms * 10 + house.area * 2 };
}
