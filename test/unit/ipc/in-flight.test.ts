import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { InFlight } from '../../../server/ipc/in-flight.ts';

test('behaves as a Map for any order of additions and removals', () => {
  const step = fc.record({ add: fc.boolean(), id: fc.integer({ min: 1, max: 6 }) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const map = new Map<number, string>();
      const inFlight = new InFlight<string>();
      for (const { add, id } of steps) {
        if (add && !map.has(id)) {
          map.set(id, `item ${id}`);
          inFlight.add(id, `item ${id}`);
        } else if (!add) {
          assert.equal(inFlight.take(id), map.get(id));
          map.delete(id);
        }
        assert.equal(inFlight.size, map.size);
        assert.equal(inFlight.has(id), map.has(id));
        assert.equal(inFlight.get(id), map.get(id));
        assert.deepEqual(new Set(inFlight.ids), new Set(map.keys()));
        assert.deepEqual(new Set(inFlight.items), new Set(map.values()));
      }
    }),
  );
});
