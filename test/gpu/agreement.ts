import type { Model } from '../../server/entry-script.ts';
import type { Provider } from '../../server/config/execution-provider.ts';
import type { OpenedModel } from '../../server/inference/model.ts';
import { openSession } from '../../server/inference/session.ts';
import { encodeJson } from '../../server/worker/codecs/encode-result.ts';
import { answer } from '../../entry-scripts/onnx.ts';
import { assertAnswer } from '../conformance/compare.ts';
import { casesOf, type Case, type OipTensor, type RealModel, type Tolerance } from '../conformance/fixtures.ts';

/**
 * Other kernels sum in another order: what is the same answer still. TensorFloat-32 would need a
 * hundred times more, and is off here.
 */
const ACROSS_PROVIDERS: Tolerance = { rtol: 1e-3, atol: 1e-4 };

/**
 * A model on a provider; with `auto` semantics, so that models without kernels there can be told
 * apart.
 */
export const open = ({ file }: Pick<RealModel, 'file'>, provider: Provider): Promise<OpenedModel> =>
  openSession(file, { intraOpThreads: 1, execution: { provider, strict: false }, trying: (_model, run) => run() });

/** The text of the answer to an Open Inference request. */
export async function answerText(model: Model, { inputs }: Pick<Case, 'inputs'>): Promise<string> {
  return encodeJson(await answer(model, { inputs }), 'string');
}

/**
 * Compares what two models answer to the cases.
 * @returns how many cases agree
 * @throws AssertionError that names the output and the element in which they do not
 */
export async function assertAgreement(expected: Model, actual: Model, cases: readonly Case[]): Promise<number> {
  for (const [index, each] of cases.entries()) {
    const { outputs } = JSON.parse(await answerText(expected, each)) as { outputs: OipTensor[] };
    assertAnswer(await answerText(actual, each), { ...each, outputs, tolerance: ACROSS_PROVIDERS }, `${actual.name}, case ${index}`);
  }
  return cases.length;
}

/**
 * Opens a model on the CPU and on a provider, compares all its cases; answers the model's placement
 * there.
 */
export async function compareWithCpu(real: RealModel, provider: Provider): Promise<OpenedModel['about'] & { readonly cases: number }> {
  const onCpu = await open(real, 'cpu');
  const there = await open(real, provider);
  try {
    return { ...there.about, cases: await assertAgreement(onCpu, there, casesOf(real)) };
  } finally {
    await Promise.all([onCpu.release(), there.release()]);
  }
}

/** Inferences a second of one model, asked for one after the other. */
export async function throughput(real: RealModel, provider: Provider, milliseconds: number): Promise<number> {
  const model = await open(real, provider);
  const [first] = casesOf(real);
  if (first === undefined) throw new Error(`${real.name} has no case`);
  try {
    // The first runs choose algorithms.
    for (let run = 0; run < 3; run++) await answerText(model, first);
    const began = performance.now();
    let runs = 0;
    while (performance.now() - began < milliseconds) {
      await answerText(model, first);
      runs++;
    }
    return (runs * 1000) / (performance.now() - began);
  } finally {
    await model.release();
  }
}
