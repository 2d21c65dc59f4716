import { parentPort } from 'node:worker_threads';

// Stands in for the thread that sends telemetry: delivers every item, and exits at an item "end".
parentPort?.on('message', (message: 'flush' | { insights: string }) => {
  const tell = (items: number, bytes: number): void =>
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
    parentPort?.postMessage({ delivered: { trace: items }, dropped: [], bytes, flushed: message === 'flush' });
  if (message === 'flush') return tell(0, 0);
  if (message.insights.includes('"end"')) process.exit(1);
  return tell(message.insights.split('\n').length, message.insights.length);
});
