import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { parseAllDocuments } from 'yaml';
import { tool } from './tools.ts';

const run = promisify(execFile);

export const HELM = fileURLToPath(new URL('../../deploy/helm/', import.meta.url));

/** An object of Kubernetes, as far as tests look at all of them. */
export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string; readonly labels: Readonly<Record<string, string>> };
  readonly [key: string]: unknown;
}

export interface Rendering {
  /** A file of deploy/helm/values, without its ending. */
  readonly file?: string;
  /** Arguments of --set. */
  readonly set?: readonly string[];
  readonly kubernetes?: string;
  readonly namespace?: string;
}

/** What `helm template` prints for the release `demo`. Rejects with the message of helm. */
export async function renderText(rendering: Rendering, ...more: readonly string[]): Promise<string> {
  const { file, set = [], kubernetes = '1.34.3', namespace = 'models' } = rendering;
  const values = file === undefined ? [] : ['--values', `${HELM}values/${file}.yaml`];
  const args = ['template', 'demo', `${HELM}scoring-server`, '--namespace', namespace, '--kube-version', kubernetes, ...values];
  const { stdout } = await run(await tool('helm'), [...args, ...set.flatMap((each) => ['--set', each]), ...more], {
    maxBuffer: 64 * 1024 * 1024,
  });
  return stdout;
}

export async function render(rendering: Rendering): Promise<Manifest[]> {
  return manifestsOf(await renderText(rendering));
}

export function manifestsOf(text: string): Manifest[] {
  return parseAllDocuments(text, { uniqueKeys: true, version: '1.1' })
    .map((document) => {
      if (document.errors.length > 0) throw new Error(document.errors.join('\n'));
      return document.toJS() as Manifest | null;
    })
    .filter((manifest) => manifest !== null);
}
