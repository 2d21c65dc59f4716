import assert from 'node:assert/strict';
import test from 'node:test';
import { Intake } from '../../../server/worker/intake.ts';

const nothing = Buffer.alloc(0);
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function spin(ms: number): void {
  for (const until = performance.now() + ms; performance.now() < until;);
}

test('runs begin after the read, in order, each marked before it begins', () => {
  const said: string[] = [];
  const intake = new Intake(
    (id) => said.push(`run ${id}`),
    (begun) => said.push(`mark ${begun}`),
  );
  intake.add(7, nothing);
  intake.add(5, nothing);
  assert.deepEqual(said, []);
  intake.read(false);
  assert.deepEqual(said.slice(0, 2), ['mark 1', 'run 7']);
  assert.deepEqual(said.slice(2), ['mark 2', 'run 5']);
  for (const id of [1, 2, 3]) intake.add(id, nothing);
  intake.read(false);
  assert.deepEqual(said.slice(4), ['mark 5', 'run 1', 'run 2', 'run 3'], 'quick runs are marked together');
});

test('a dropped run never begins, also where its cancel comes with a later read', async () => {
  const begun: number[] = [];
  const intake = new Intake(
    (id) => begun.push(id),
    () => undefined,
  );
  for (const id of [1, 2, 3]) intake.add(id, nothing);
  assert.equal(intake.drop(2), true);
  intake.read(true);
  assert.deepEqual(begun, [], 'the pipe holds more');
  assert.equal(intake.drop(3), true);
  intake.read(false);
  await turn();
  assert.deepEqual(begun, [1]);
  assert.equal(intake.drop(1), false);
});

test('slow runs give the pipe its turn, and are marked one by one', async () => {
  const said: string[] = [];
  const intake = new Intake(
    (id) => {
      said.push(`run ${id}`);
      spin(15);
    },
    (begun) => said.push(`mark ${begun}`),
  );
  for (const id of [1, 2, 3]) intake.add(id, nothing);
  intake.read(false);
  assert.deepEqual(said, ['mark 1', 'run 1']);
  assert.equal(intake.drop(2), true);
  await turn();
  assert.deepEqual(said, ['mark 1', 'run 1', 'mark 3', 'run 3']);
});
