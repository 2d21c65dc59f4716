import { Worker } from 'node:worker_threads';

/**
 * Ends this process when its host is gone without a word (SIGKILL, out of memory): a closed pipe is seen only by a thread that is
 * not inside an inference or an endless loop, and neither a worker nor what it started may outlive its host. A thread that runs no ONNX may be killed with us.
 */
export function startWatchdog(host: number): void {
  const source = `
    const pause = new Int32Array(new SharedArrayBuffer(4));
    while (process.ppid === ${host}) Atomics.wait(pause, 0, 0, 1000);
    try { process.kill(-process.pid, 'SIGKILL'); } catch {}
    process.kill(process.pid, 'SIGKILL');`;
  new Worker(source, { eval: true, resourceLimits: { maxOldGenerationSizeMb: 8, maxYoungGenerationSizeMb: 1, stackSizeMb: 1 } }).unref();
}

/** Ends what this process started, and itself: the host has made it the leader of a group. */
export function endGroup(): void {
  try {
    process.kill(-process.pid, 'SIGKILL');
  } catch {
    // Not started by a host.
  }
}
