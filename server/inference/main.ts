import { writeSync } from 'node:fs';
import type { Provider } from '../config/execution-provider.ts';
import { checkProvider } from './provider-check.ts';

// A process that the host asks once, before it starts workers: can the provider be used here? A driver that crashes takes only this
// process with it. The answer is one line of JSON on stdout; stderr is ONNX Runtime's.
const problem = await checkProvider(process.argv[2] as Provider);
writeSync(1, JSON.stringify({ problem: problem ?? null }));
