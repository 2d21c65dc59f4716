import nodeTest, { type TestContext, type TestOptions } from 'node:test';
import { whyNoPython } from '../set-up/python.ts';

type Run = (t: TestContext) => Promise<void> | void;

const without = whyNoPython();

/** `test` of node:test for what needs a Python: skipped, with the reason, where there is none. */
export function test(name: string, ...rest: [Run] | [TestOptions, Run]): void {
  const [options, run] = rest.length === 1 ? [{}, rest[0]] : rest;
  void nodeTest(name, { ...options, ...(without !== undefined && { skip: without }) }, run);
}
