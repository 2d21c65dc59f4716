import test from 'node:test';
import { Recipe, recipes } from './recipe.ts';

for (const name of recipes) {
  test(`a reader who copies the recipe ${name} gets the answer that it promises`, async (t) => {
    const recipe = new Recipe(name);
    await recipe.install();
    await t.test('its scripts have the types that they use', () => recipe.checkTypes());
    await t.test('its request gets its answer', (own) => recipe.tryOut(own));
    await t.test('its own tests pass', () => recipe.test());
  });
}
