import test from 'node:test';
import { check } from '../soak/check.ts';
import { soak } from '../soak/soak.ts';

test('random requests and random losses of workers leave every request one end, and the host as it was', async () => {
  check(await soak({ seconds: 15, seed: 20 }));
});
