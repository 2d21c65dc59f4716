import { ftruncateSync, writeSync } from 'node:fs';

/** Place of the marks of redactions in the file of marks: ipc/README.md, fd 4. */
const AT = 8;

/**
 * @param begun redactions so far
 * @param holder number of the one whose hook has the thread; 0: none
 */
export type MarkRedaction = (begun: number, holder: number) => void;

/**
 * Writes which hook has the thread. Where that fails it cuts the marks off, which means that any
 * redaction may have begun, and that no hook is known to have the thread.
 */
export function redactionMarkIn(fd: number): MarkRedaction {
  const numbers = new Float64Array(2);
  const bytes = new Uint8Array(numbers.buffer);
  let known = true;
  return (begun, holder) => {
    if (!known) return;
    numbers[0] = begun;
    numbers[1] = holder;
    try {
      writeSync(fd, bytes, 0, bytes.length, AT);
    } catch {
      known = false;
      cut(fd);
    }
  };
}

function cut(fd: number): void {
  try {
    ftruncateSync(fd, AT);
  } catch {
    // The script has closed it, and the host reads what was written last.
  }
}
