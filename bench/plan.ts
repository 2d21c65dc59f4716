import { caseNames, type CaseName, isSlow } from './cases.ts';
import type { Options } from './options.ts';
import { peerNames, subjects } from './subjects/all.ts';

/** One subject is started for one model and loaded at each number of connections. */
export interface Step {
  readonly row: CaseName;
  readonly subject: string;
  readonly connections: readonly number[];
  readonly warmUpSeconds: number;
}

/** All subjects on small models, where the server is the cost; few on slow models. */
const table: readonly { subjects: readonly string[]; rows: readonly CaseName[]; connections: readonly number[] }[] = [
  { subjects: ['ours', 'naive'], rows: ['ridge', 'mlp'], connections: [1, 8, 32, 128] },
  { subjects: ['naive-1t', 'cluster', 'bare'], rows: ['ridge', 'mlp'], connections: [32, 128] },
  { subjects: ['ours-logs', 'ours-telemetry', 'ours-collects', 'ours-collects-10'], rows: ['ridge'], connections: [32] },
  { subjects: ['ours-binary'], rows: ['mlp'], connections: [32] },
  { subjects: [...peerNames, 'ours-python'], rows: ['ridge', 'mlp'], connections: [32] },
  { subjects: ['ours', 'ours-python', 'azureml'], rows: ['ridge-sklearn'], connections: [32] },
  { subjects: ['ours', 'naive', 'naive-1t'], rows: ['mlp-long', 'gbdt'], connections: [32] },
  { subjects: ['ours', 'naive'], rows: ['minilm16', 'minilm128', 'resnet50'], connections: [8] },
  { subjects: ['ours-binary'], rows: ['resnet50'], connections: [8] },
  { subjects: ['raw'], rows: ['ridge', 'mlp', 'gbdt', 'minilm16', 'minilm128', 'resnet50'], connections: [1] },
];

/** @throws Error where a name is not known */
export function makePlan(options: Options): Step[] {
  const subjectNames = subjects.map(({ name }) => name);
  check('model', options.models ?? [], caseNames);
  check('subject', options.subjects ?? [], subjectNames);
  const named = options.models !== undefined && options.subjects !== undefined;
  return caseNames
    .filter((row) => options.models?.includes(row) ?? true)
    .flatMap((row) => {
      const steps = subjectNames
        .filter((subject) => options.subjects?.includes(subject) ?? true)
        .map((subject) => ({ row, subject, connections: connectionsOf(row, subject, named, options) }))
        .filter(({ connections }) => connections.length > 0);
      const compiled = steps.filter(({ subject }) => subject !== 'raw' && !peerNames.includes(subject));
      const all = compiled.map(({ connections }) => connections);
      return steps.map((step) => ({
        ...step,
        warmUpSeconds: compiled.includes(step) ? warmUpSeconds(step.connections, all, options) : WARM_UP_SECONDS,
      }));
    });
}

/**
 * Under load each server of Node comes to the same number of connections after the same time.
 * Why: Node's compilers work for half a minute. A server that had only its warm-up seemed a fifth
 * slower than one that had been measured at fewer connections before.
 */
function warmUpSeconds([first = 0]: readonly number[], all: readonly (readonly number[])[], { seconds }: Options): number {
  return WARM_UP_SECONDS + seconds * Math.max(...all.map((connections) => connections.filter((count) => count < first).length));
}

function connectionsOf(row: CaseName, subject: string, named: boolean, options: Options): readonly number[] {
  const usual = isSlow(row) ? 8 : 32;
  const planned = table.find((line) => line.subjects.includes(subject) && line.rows.includes(row))?.connections ?? (named ? [usual] : []);
  // The loop has no connections.
  if (planned.length === 0 || subject === 'raw') return planned.length === 0 ? [] : [1];
  return options.connections ?? (options.quick ? [usual] : planned);
}

function check(kind: string, names: readonly string[], known: readonly string[]): void {
  const wrong = names.filter((name) => !known.includes(name));
  if (wrong.length > 0) throw new Error(`no ${kind} ${wrong.join(', ')}; there are ${known.join(', ')}`);
}

/**
 * For compilers, connections and caches; not counted. With one second, servers of two processes
 * were measured cold.
 */
const WARM_UP_SECONDS = 3;
const START_SECONDS = { python: 8, node: 1.5 };

/** What a run takes, roughly. */
export const estimateSeconds = (plan: readonly Step[], { seconds, rounds }: Options): number =>
  rounds *
  plan.reduce(
    (sum, { subject, connections, warmUpSeconds: warmUp }) =>
      sum + (peerNames.includes(subject) ? START_SECONDS.python : START_SECONDS.node) + warmUp + connections.length * (seconds + 0.4),
    0,
  );
