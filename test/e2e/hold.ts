import { held } from '../set-up/held.ts';
import type { ServerProcess } from './start-server.ts';

/** A request whose run() has begun, and that ends when a test releases it. */
export interface HeldRequest {
  readonly answer: Promise<Response>;
  readonly release: () => void;
}

/** Sends a request to a server of test/scripts/held.ts, and resolves when its run() has begun. */
export async function hold(server: ServerProcess): Promise<HeldRequest> {
  const { data, running, release } = held();
  const answer = server.score(data);
  // A test that awaits it gets its failure.
  answer.catch(() => undefined);
  await running();
  return { answer, release };
}
