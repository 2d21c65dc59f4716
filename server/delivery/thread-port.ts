import { isMainThread, parentPort, workerData } from 'node:worker_threads';

/** The thread's end of a `ThreadLink`. */
export interface ThreadPort<Data, To, From> {
  readonly data: Data;
  /** @param transfer buffers that move to the host */
  readonly post: (message: From, transfer?: ArrayBuffer[]) => void;
  /** Sets the callback for messages. Those that came before it wait. */
  readonly onMessage: (take: (message: To) => void) => void;
}

/** @throws Error outside of a thread */
export function openPort<Data, To, From>(): ThreadPort<Data, To, From> {
  if (isMainThread || parentPort === null) throw new Error('expected to be started as a worker thread');
  const port = parentPort;
  return {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the link's owner is code of the same process, and sends this type
    data: workerData as Data,
    post: (message, transfer = []) => port.postMessage(message, transfer),
    onMessage: (take) => void port.on('message', take),
  };
}
