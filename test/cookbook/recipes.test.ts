import assert from 'node:assert/strict';
import test, { type TestContext } from 'node:test';
import { whyNoPython } from '../set-up/python.ts';
import { Recipe, recipes } from './recipe.ts';

for (const name of recipes) {
  test(`a reader who copies the recipe ${name} gets the answer that it promises`, async (t) => {
    const recipe = new Recipe(name);
    if (recipe.isPython) assert.equal(whyNoPython(), undefined);
    await recipe.install();
    await t.test('its scripts have the types that they use', () => recipe.checkTypes());
    await t.test('its request gets its answer', (own) => recipe.tryOut(own));
    await t.test('its own tests pass', () => recipe.test());
    if (name === 'scikit-learn') await t.test('its model gives the same answer without a score.py', (own) => migrate(own, recipe));
  });
}

/** The way of docs/migrate-from-azureml.md, from a pickle to no code and to TypeScript. */
async function migrate(t: TestContext, recipe: Recipe): Promise<void> {
  await recipe.runPython('convert.py');
  await t.test('without code', (own) => recipe.tryOut(own, ['--model', recipe.path('model/model.onnx')]));
  await t.test('by a script in TypeScript', (own) => recipe.tryOut(own, ['--entry-script', recipe.path('converted.ts')]));
}
