import assert from 'node:assert/strict';
import test from 'node:test';
import { LargeBuffers } from '../../../server/system/large-buffers.ts';

const MB = 1024 * 1024;

test('collects once, a moment after the last of many large buffers', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  let collections = 0;
  const buffers = new LargeBuffers(() => collections++);
  buffers.used(20 * MB);
  t.mock.timers.tick(1000);
  assert.equal(collections, 0);
  buffers.used(20 * MB);
  t.mock.timers.tick(400);
  buffers.used(MB);
  t.mock.timers.tick(400);
  assert.equal(collections, 0);
  t.mock.timers.tick(100);
  assert.equal(collections, 1);
  t.mock.timers.tick(10_000);
  assert.equal(collections, 1);
});

test('small bodies are not counted, however many there are', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  let collections = 0;
  const buffers = new LargeBuffers(() => collections++);
  for (let body = 0; body < 100_000; body++) buffers.used(1000);
  t.mock.timers.tick(10_000);
  assert.equal(collections, 0);
});

test('images are counted', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  let collections = 0;
  const buffers = new LargeBuffers(() => collections++);
  for (let body = 0; body < 1000; body++) buffers.used(50_000);
  t.mock.timers.tick(1000);
  assert.equal(collections, 1);
});
