import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

export type Tool = 'helm' | 'kubeconform';

/** The path of a program of a cluster. */
export function tool(name: Tool): Promise<string> {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/tmp/gotools/bin'];
  const found = folders.map((each) => join(each, name)).find((each) => existsSync(each));
  assert.ok(found !== undefined, `expected ${name} in PATH, found none`);
  return Promise.resolve(found);
}
