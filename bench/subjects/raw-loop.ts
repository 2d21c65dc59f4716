import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { availableCpus, threadsPerWorker } from '../../server/system/cpu-quota.ts';
import { SubjectProcess } from '../subject-process.ts';
import type { Load, Subject } from '../subject.ts';

/** As many as one worker of this server takes by default. */
const threads = threadsPerWorker(availableCpus(availableParallelism()), 1);

export const rawLoop: Subject = {
  name: 'raw',
  title: `a loop of session.run(), one row at a time, ${threads} threads, without HTTP`,
  start: async (row, { folder }) => {
    const inputs = join(folder, 'inputs.json');
    writeFileSync(inputs, JSON.stringify(row.inputs));
    const script = fileURLToPath(new URL('./raw-loop-process.ts', import.meta.url));
    const args = [script, row.file, row.output, String(threads), inputs];
    const process = new SubjectProcess({ file: globalThis.process.execPath, args, folder, channel: true });
    const { child } = process;
    const told = once(child, 'message');
    const readyMs = await process.ready(async () => (await told).length > 0);
    const tell = async (seconds: number): Promise<unknown> => {
      const answer = once(child, 'message');
      child.send(seconds);
      const [message] = (await answer) as unknown[];
      return message;
    };
    return {
      pid: process.pid,
      readyMs,
      ask: async () => (await tell(0)) as number[],
      load: async (seconds) => (await tell(seconds)) as Load,
      stop: () => process.stop(),
    };
  },
};
