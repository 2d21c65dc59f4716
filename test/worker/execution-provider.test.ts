import assert from 'node:assert/strict';
import test from 'node:test';
import { gpuDevices } from '../../server/system/gpu-devices.ts';
import { writeModel } from '../models/models.ts';
import { folder } from '../set-up/folder.ts';
import { Workers } from './start-workers.ts';

test(
  'a worker whose provider is gone does not open a model on the CPU instead, with auto neither',
  { skip: gpuDevices({}).visible.length > 0 && 'this machine has a GPU' },
  async () => {
    const path = folder();
    const modelFile = writeModel('ridge', path);
    for (const strict of [true, false]) {
      const workers = new Workers('opens-model.ts', { start: { modelFile, execution: { provider: 'cuda', strict } } });
      try {
        const { code, message } = await workers.failure;
        assert.equal(code, 'provider_unavailable');
        assert.match(message, /cuda cannot be used in this worker/);
      } finally {
        await workers.stop();
      }
    }
  },
);
