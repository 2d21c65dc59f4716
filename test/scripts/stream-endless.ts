import { writeFileSync } from 'node:fs';
export function init() {}
// Says in a file how far it has come, and that it was ended.
export async function* run({ progress }: { progress: string }) {
  const chunk = 'x'.repeat(64 * 1024);
  let sent = 0;
  try {
    for (;;) {
      yield chunk;
      writeFileSync(progress, String(++sent));
    }
  } finally {
    writeFileSync(progress, `ended after ${sent}`);
  }
}
