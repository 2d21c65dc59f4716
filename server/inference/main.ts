import { writeSync } from 'node:fs';
import { isProvider } from './execution-providers.ts';
import { checkProvider } from './provider-check.ts';

// The host runs this process before it starts workers, to check whether a provider works here. A
// crash of a driver ends only this process. The result is one line of JSON on stdout; ONNX Runtime
// writes to stderr.
process.report.excludeEnv = true;
const [, , provider] = process.argv;
const problem = isProvider(provider) ? await checkProvider(provider) : `there is no execution provider ${provider}`;
writeSync(1, JSON.stringify({ problem: problem ?? null }));
