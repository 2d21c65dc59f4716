import type { RequestContext } from 'scoring-server';
import { writeFileSync } from 'node:fs';
export function init() {}
// Waits until it is cancelled, and says so in a file.
export const run = ({ file }: { file: string }, request: RequestContext) =>
  new Promise((_resolve, reject) => {
    writeFileSync(file, 'running');
    request.signal.addEventListener('abort', () => {
      writeFileSync(file, 'cancelled');
      reject(request.signal.reason as Error);
    });
  });
