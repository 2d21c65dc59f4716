/**
 * The verdicts about merging on models as people have them: exports by the usual tools, and real
 * ones where the fixtures are present. The summary that it prints stands in docs/performance.md.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { before, describe, it } from 'node:test';
import { followModel } from '../../server/inference/graph/follow-model.ts';
import type { GraphVerdict } from '../../server/inference/graph/verdict.ts';
import type { OpenedModel } from '../../server/inference/model.ts';
import { openSession } from '../../server/inference/session.ts';
import { type ExportedModel, exportedModels, type InputHints, randomRow } from '../models/exported-models.ts';
import { differenceOfRows } from '../models/rows/run-rows.ts';
import { missing, realModels } from './fixtures.ts';

process.env['ORT_DISABLE_TELEMETRY'] = '1';
/**
 * Domain of operators on blocks of channels. The size of a block is that of the CPU that optimised
 * the model: the files here come from one with AVX-512, and another computes nonsense with them.
 */
const BLOCKED = 'com.microsoft.nchwc';
const hasWideVectors = readFileSync('/proc/cpuinfo', 'utf8').includes('avx512f');
const SCALES = [1e-3, 1, 1e2, 1e4];

interface Finding {
  readonly name: string;
  readonly rowWise: ExportedModel['rowWise'] | undefined;
  /** What the graph says of all outputs. */
  readonly whole: GraphVerdict['rows'];
  /** What it says of the outputs that are served. */
  readonly rows: GraphVerdict['rows'];
  /** Whether every output is served. */
  readonly complete: boolean;
  /** Verdict, reason and node of the graph. */
  readonly why: string;
  /** How rows of four scales in one batch differ from the same rows alone. */
  readonly difference: string | undefined;
  /** Whether `auto` merges, and why. */
  readonly merges: boolean;
  readonly decision: string;
}

/** What is found of a model, or why ONNX Runtime does not load it. */
async function findingOf(name: string, file: string, hints: InputHints & Partial<ExportedModel>): Promise<Finding | string> {
  let model: OpenedModel;
  try {
    model = await openSession(file, { intraOpThreads: 1 });
  } catch (refusal) {
    return `${name}: ${String(refusal)}`;
  }
  try {
    const served = model.outputs.map((output) => output.name);
    const { rows, reason, node } = followModel(file, served);
    const why = `${rows}: ${reason}${node === undefined ? '' : ` (${node})`}`;
    const comparable = hasWideVectors || !readFileSync(file).includes(BLOCKED);
    const difference = rows === 'row-wise' && comparable ? await differenceIn(model, hints) : undefined;
    // Complete rows, as the trial makes them up, end the process of such a model.
    if (hints.holes !== true) await model.settleBatching({ maxBatchSize: 'auto', maxDelayMs: 0 });
    const { merges, reason: decision } = model.about.batching;
    const whole = followModel(file).rows;
    const complete = model.about.omittedOutputs.length === 0;
    return { name, rowWise: hints.rowWise, whole, rows, complete, why, difference, merges, decision };
  } finally {
    await model.release();
  }
}

/** Two rows of each scale, all in one batch. */
async function differenceIn(model: OpenedModel, hints: InputHints): Promise<string | undefined> {
  const rows = [...SCALES, ...SCALES].map((scale, seed) => randomRow(model.inputs, hints, seed + 1, scale));
  return differenceOfRows((feeds) => model.run(feeds), rows).catch((error: unknown) => `not run: ${String(error)}`);
}

const listed = (findings: readonly Finding[], text: (finding: Finding) => string): string =>
  findings.map((finding) => `\n  ${finding.name}: ${text(finding)}`).join('');

/** How many of the models are called row-wise and are merged, by family. */
function table(findings: readonly Finding[]): string {
  const families = Map.groupBy(findings, ({ name }) => name.split('/')[0] ?? '');
  const count = (all: readonly Finding[], which: (finding: Finding) => boolean): number => all.filter(which).length;
  const row = (family: string, all: readonly Finding[]): string => {
    const apart = all.filter(({ rowWise }) => rowWise === true);
    const called = count(apart, ({ rows }) => rows === 'row-wise');
    const merged = count(apart, ({ merges }) => merges);
    return `${family}: ${all.length} models, ${apart.length} row-wise, ${called} called so, ${merged} merged by auto`;
  };
  return [...Array.from(families, ([family, all]) => row(family, all)), row('all', findings)].join('\n');
}

describe('models that the usual tools export', () => {
  const findings: Finding[] = [];
  const refusals: string[] = [];
  const apart = (): Finding[] => findings.filter(({ rowWise }) => rowWise === true);
  const started = performance.now();
  before(async () => {
    for (const model of exportedModels()) {
      const finding = await findingOf(model.name, model.file, model);
      if (typeof finding === 'string') refusals.push(finding);
      else findings.push(finding);
    }
  });

  it('are loaded, nearly all', (test) => {
    test.diagnostic(`not loaded:${refusals.map((refusal) => `\n  ${refusal}`).join('')}`);
    assert.ok(refusals.length <= 10, refusals.join('\n'));
  });

  it('are never called row-wise, nor merged, where their rows meet', () => {
    const others = findings.filter(({ rowWise }) => rowWise !== true);
    const wrong = others.filter(({ whole, merges, complete }) => whole === 'row-wise' || (merges && complete));
    assert.ok(others.length >= 40);
    assert.equal(
      wrong.length,
      0,
      listed(wrong, ({ why }) => why),
    );
  });

  it('are called row-wise nine times of ten where their rows are alone', (test) => {
    const refused = apart().filter(({ rows }) => rows !== 'row-wise');
    test.diagnostic(`${table(findings)}\nrefused:${listed(refused, ({ why }) => why)}`);
    test.diagnostic(`${Math.round((performance.now() - started) / 1000)} s`);
    assert.ok(refused.length <= apart().length / 10);
  });

  it('are merged by auto nine times of ten where their rows are alone', (test) => {
    const refused = apart().filter(({ merges }) => !merges);
    test.diagnostic(`not merged:${listed(refused, ({ decision }) => decision)}`);
    assert.ok(refused.length <= apart().length / 10);
  });

  it('answer rows of four scales in one batch as rows alone where they are called row-wise', () => {
    const wrong = findings.filter(({ difference }) => difference !== undefined);
    assert.equal(
      wrong.length,
      0,
      listed(wrong, ({ difference }) => String(difference)),
    );
  });
});

describe('real models', { skip: missing }, () => {
  it('are called row-wise nine times of ten, and then answer rows in one batch as rows alone', async (test) => {
    const findings: Finding[] = [];
    for (const { name, file } of realModels()) {
      const finding = await findingOf(name, file, {});
      if (typeof finding !== 'string') findings.push(finding);
    }
    const wrong = findings.filter(({ difference }) => difference !== undefined && !difference.startsWith('not run'));
    const open = findings.filter(({ why }) => !why.includes('no symbolic first dimension'));
    const refused = open.filter(({ rows }) => rows !== 'row-wise');
    const merged = open.filter(({ merges }) => merges);
    const counts = `${findings.length} models, ${open.length} of them take batches, ${open.length - refused.length} are called row-wise`;
    test.diagnostic(`${counts}, ${merged.length} are merged by auto`);
    test.diagnostic(listed(open, ({ why, decision, difference }) => `${why}; ${decision}; ${difference ?? 'equal'}`));
    assert.ok(
      refused.length <= open.length / 10,
      listed(refused, ({ why }) => why),
    );
    assert.equal(
      wrong.length,
      0,
      listed(wrong, ({ difference }) => String(difference)),
    );
  });
});
