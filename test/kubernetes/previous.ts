import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const HELM = 'deploy/helm';
const DESCRIPTION = `${HELM}/scoring-server/Chart.yaml`;

/** The chart and its values files at one time. */
export interface Charts {
  readonly chart: string;
  readonly values: (name: string) => string;
  /** What differs from the values file, as flags of helm. */
  readonly flags: readonly string[];
}

export const PRESENT = chartsIn(join(ROOT, HELM));

/** A release as it could have been before: other image, options, resources, labels of pods. */
const OLDER = [
  'image.tag=older',
  'options.INIT_TIMEOUT_MS=120000',
  'podLabels.team=older',
  'podAnnotations.note=older',
  'rollout.minReadySeconds=0',
];

/**
 * The version of the chart before the present one, by the history of git. Where the chart has had
 * one version only: the present chart under an older version, with older values.
 */
export function previous(folder: string, repository = ROOT): Charts {
  const commit = previousCommit(repository);
  if (commit !== undefined) {
    const archive = execFileSync('git', ['archive', commit, HELM], { cwd: repository, maxBuffer: 64 * 1024 * 1024 });
    execFileSync('tar', ['-x', '-C', folder], { input: archive });
    return chartsIn(join(folder, HELM));
  }
  mkdirSync(join(folder, 'deploy'), { recursive: true });
  cpSync(join(repository, HELM), join(folder, HELM), { recursive: true });
  const description = join(folder, DESCRIPTION);
  writeFileSync(description, readFileSync(description, 'utf8').replaceAll(/^(version|appVersion): .*$/gm, '$1: 0.0.1'));
  return { ...chartsIn(join(folder, HELM)), flags: OLDER.flatMap((each) => ['--set', each]) };
}

function chartsIn(folder: string): Charts {
  return { chart: join(folder, 'scoring-server'), values: (name) => join(folder, 'values', `${name}.yaml`), flags: [] };
}

/** The last commit whose chart has another version than the files have; undefined: none has. */
function previousCommit(repository: string): string | undefined {
  const git = (...args: readonly string[]): string => execFileSync('git', args, { cwd: repository, encoding: 'utf8' });
  const present = versionOf(readFileSync(join(repository, DESCRIPTION), 'utf8'));
  // Deleted in a commit, it has no version there.
  const commits = git('log', '--format=%H', '--diff-filter=AM', '--', DESCRIPTION).split('\n').filter(Boolean);
  return commits.find((commit) => versionOf(git('show', `${commit}:${DESCRIPTION}`)) !== present);
}

function versionOf(description: string): string | undefined {
  return /^version: *(\S+)/m.exec(description)?.[1];
}
