import { connect } from 'node:net';
import { until } from '../set-up/until.ts';

/** A connection that the kernel drops tries again after a second: its listener takes no more. */
const DROPPED_MS = 100;

/** Resolves when a port of 127.0.0.1 takes no connections any more. */
export function closed(port: number): Promise<void> {
  return until(async () => !(await accepts(port)));
}

/** Whether a new connection is taken at once. */
async function accepts(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1').setTimeout(DROPPED_MS);
  const taken = await new Promise<boolean>((resolve) => {
    socket
      .once('connect', () => resolve(true))
      .once('timeout', () => resolve(false))
      .once('error', () => resolve(false));
  });
  socket.destroy();
  return taken;
}
