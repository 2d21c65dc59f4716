/** Follows the rows of a model in a process of its own, and prints what that took. */
import { readFileSync } from 'node:fs';
import { followModel } from '../../server/inference/graph/follow-model.ts';

/** Largest memory of this process until now. `maxRSS` would count that of the process before. */
const mostMiB = (): number => Number(/^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]) / 1024;

const [file = ''] = process.argv.slice(2);
const before = mostMiB();
const began = performance.now();
const { rows } = followModel(file);
const ms = performance.now() - began;
console.log(JSON.stringify({ rows, ms, memoryMiB: mostMiB() - before }));
