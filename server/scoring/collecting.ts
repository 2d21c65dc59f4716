import type { NotCollected } from '../ipc/worker-messages.ts';

/** Takes what scripts collected. */
export interface Collecting {
  /** @param payload of a `collect` frame */
  rows(payload: Buffer): void;
  notCollected(collection: string, reason: NotCollected['reason'], count: number): void;
}
