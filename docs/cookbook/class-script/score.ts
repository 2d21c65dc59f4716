/**
 * An instance of a class is an entry script, too. Its fields are the state.
 *
 * npm start -- --entry-script docs/cookbook/class-script/score.ts
 * sh docs/cookbook/class-script/try.sh
 */

import { readFile } from 'node:fs/promises';
import type { EntryScript, InitContext } from 'scoring-server';

interface Reading {
  readonly temperature: number;
}

class OutlierDetector implements EntryScript<Reading> {
  readonly sample = { temperature: 20 };
  readonly #limit: number;
  #mean = 0;
  #deviation = 1;

  /** @param limit standard deviations from the mean that are still normal */
  constructor(limit: number) {
    this.#limit = limit;
  }

  async init({ log }: InitContext) {
    const statistics = await readFile(new URL('statistics.json', import.meta.url), 'utf8');
    ({ mean: this.#mean, deviation: this.#deviation } = JSON.parse(statistics));
    log.info('statistics loaded', { mean: this.#mean, deviation: this.#deviation });
  }

  run({ temperature }: Reading) {
    const distance = (temperature - this.#mean) / this.#deviation;
    return { distance, outlier: Math.abs(distance) > this.#limit };
  }
}

export default new OutlierDetector(3);
