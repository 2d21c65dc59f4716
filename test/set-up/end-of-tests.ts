/**
 * Ends a test process whose tests are over; loaded before each test file (`node --import`).
 *
 * Why: a test that runs into `--test-timeout` leaves its sockets and timers behind, and these keep
 * the process, and so the whole run, alive.
 */
import { after } from 'node:test';
import { isMainThread } from 'node:worker_threads';

const CHECK_MS = 1000;
/** Idle checks in a row before the process counts as kept alive. */
const CHECKS = 5;

// Only a process that runs one test file: the runner has this variable from nobody.
if (isMainThread && process.env['NODE_TEST_CONTEXT'] !== undefined) after(endWhenReported);

function endWhenReported(): void {
  let idle = 0;
  const timer = setInterval(() => {
    // `process.exit()` would cut off reports that the runner has not read yet.
    idle = process.stdout.writableLength === 0 ? idle + 1 : 0;
    if (idle < CHECKS) return;
    process.stderr.write(
      `${process.argv[1]}: the tests are over, but the process is kept alive by ${process.getActiveResourcesInfo().join()}\n`,
    );
    process.exit(1);
  }, CHECK_MS);
  timer.unref();
}
