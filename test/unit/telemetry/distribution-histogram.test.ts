import * as fc from 'fast-check';
import assert from 'node:assert/strict';
import test from 'node:test';
import { Histogram, Registry } from 'prom-client';
import { DistributionHistogram } from '../../../server/telemetry/distribution-histogram.ts';

test('a distribution shows, to the byte, what a histogram of prom-client shows of the same values', async () => {
  const value = fc.oneof(fc.double({ noNaN: true, noDefaultInfinity: true, min: -5, max: 20 }), fc.constantFrom(0, 0.5, 1, 10));
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(fc.constantFrom('a', 'b"\\\n'), value), { maxLength: 30 }), async (observed) => {
      const buckets = [0.5, 1, 10];
      const [theirs, ours] = [new Registry(), new Registry()];
      const histogram = new Histogram({ name: 'x', help: 'y', labelNames: ['l'], buckets, registers: [theirs] });
      const distribution = new DistributionHistogram({ name: 'x', help: 'y', labels: ['l'], buckets }, ours);
      for (const [label, number] of observed) {
        histogram.observe({ l: label }, number);
        distribution.of(label).observe(number);
      }
      assert.equal(await ours.metrics(), await theirs.metrics());
    }),
  );
});
