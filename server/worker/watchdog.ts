import { startOwnThread } from '../system/own-thread.ts';

/**
 * Ends this process when its host was killed (SIGKILL, out of memory). Neither a worker nor its
 * children may outlive the host. Why a thread: the main thread does not see the closed pipe inside
 * an inference or an endless loop. This one runs no ONNX, so it can be killed with the process.
 * @param host process id
 * @param failed called with what ended the thread: this process then outlives its host while busy
 */
export function startWatchdog(host: number, failed: (thrown: unknown) => void): void {
  const source = `
    const pause = new Int32Array(new SharedArrayBuffer(4));
    while (process.ppid === ${host}) Atomics.wait(pause, 0, 0, 1000);
    try { process.kill(-process.pid, 'SIGKILL'); } catch {}
    process.kill(process.pid, 'SIGKILL');`;
  try {
    const thread = startOwnThread(source, { resourceLimits: { maxOldGenerationSizeMb: 8, maxYoungGenerationSizeMb: 1, stackSizeMb: 1 } });
    thread.on('error', failed);
    thread.unref();
  } catch (thrown) {
    failed(thrown);
  }
}

/** Ends this process and its children. The host has made it the leader of their group. */
export function endGroup(): void {
  try {
    process.kill(-process.pid, 'SIGKILL');
  } catch {
    // Not started by a host.
  }
}
