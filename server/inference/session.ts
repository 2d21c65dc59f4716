import { stat } from 'node:fs/promises';
import path from 'node:path';
import type { InferenceSession } from 'onnxruntime-node';
import { ServerError } from '../errors.ts';
import { fileDenial } from '../system/folders.ts';
import type { Execution, Provider } from '../config/execution-provider.ts';
import { providers } from './execution-providers.ts';
import { SessionModel, type Loaded, type OpenedModel } from './model.ts';
import { Profile, providerInUse } from './placement.ts';
import { checkProvider } from './provider-check.ts';
import { loadRefusal, refuseUnservable } from './refusals.ts';
import { loadRuntime, type Runtime } from './runtime.ts';
import { servable, ServableSession } from './servable-session.ts';

/** ONNX Runtime's threads do not spin, because the host and other workers use the same cores. */
const SHARED_CORES = { 'session.intra_op.allow_spinning': '0' };

interface OpenOptions {
  /** Threads of one inference, at least 1. */
  readonly intraOpThreads: number;
  readonly execution?: Execution;
  /** Called when the provider fails for good in this process: only a new process helps. */
  readonly lost?: (problem: string) => void;
  /**
   * Runs the model on a made-up row under the profiler of a device; absent: it does not run, and
   * the placement of its nodes stays unknown.
   */
  readonly trying?: (<T>(model: string, run: () => Promise<T>) => Promise<T>) | undefined;
}

/**
 * Loads an ONNX model from a file, with external data beside it. Blocks the thread while ONNX
 * Runtime works.
 *
 * Outputs become tensors where that is possible (servable-session.ts); others are left out. On a
 * device the model runs once under ONNX Runtime's profiler, which shows where its nodes really run.
 * @throws ServerError model_missing if there is no such file, model_refused if it cannot be loaded
 * or served, provider_unavailable if the provider does not work, or (strict) runs no node of this
 * model
 */
export async function openSession(file: string, { intraOpThreads, execution = ON_CPU, lost, trying }: OpenOptions): Promise<OpenedModel> {
  const absolute = path.resolve(file);
  const denied = fileDenial(absolute);
  if (denied !== undefined) throw new ServerError('model_missing', `model ${absolute} cannot be read: ${denied}.`);
  const found = await stat(absolute).catch(() => undefined);
  if (!found?.isFile())
    throw new ServerError(
      'model_missing',
      `model ${absolute}: expected a file, ${found === undefined ? 'found nothing' : found.isDirectory() ? 'got a folder' : 'got a pipe, socket or device'}.`,
    );
  const runtime = await loadRuntime();
  const profile = providers[execution.provider].isDevice && trying !== undefined ? await Profile.begin() : undefined;
  try {
    const options = sessionOptions(execution.provider, intraOpThreads, profile);
    const started = performance.now();
    const session = await load(runtime, absolute, options, execution.provider);
    const about: Loaded = {
      provider: execution.provider,
      placement: undefined,
      intraOpThreads,
      ortVersion: runtime.env.versions.node ?? runtime.env.versions.common,
      loadSeconds: (performance.now() - started) / 1000,
      omittedOutputs: session.omitted,
    };
    if (profile === undefined || trying === undefined) return new SessionModel(runtime, session, absolute, about, lost);
    const model = new SessionModel(runtime, session, absolute, about);
    await trying(model.name, () => model.warmUp());
    const placement = await profile.end(session, execution.provider);
    try {
      const provider = providerInUse(absolute, execution, placement);
      return new SessionModel(runtime, session, absolute, { ...about, placement, provider }, lost);
    } catch (error) {
      await session.release();
      throw error;
    }
  } finally {
    await profile?.remove();
  }
}

const ON_CPU: Execution = { provider: 'cpu', strict: true };

function sessionOptions(provider: Provider, intraOpThreads: number, profile: Profile | undefined): InferenceSession.SessionOptions {
  return {
    executionProviders: providers[provider].requested,
    intraOpNumThreads: intraOpThreads,
    interOpNumThreads: 1,
    executionMode: 'sequential',
    extra: SHARED_CORES,
    logSeverityLevel: 4,
    ...profile?.options,
  };
}

async function load(
  runtime: Runtime,
  file: string,
  options: InferenceSession.SessionOptions,
  provider: Provider,
): Promise<ServableSession> {
  let session: InferenceSession;
  try {
    session = await runtime.InferenceSession.create(file, options);
  } catch (error) {
    // ONNX Runtime's errors have no code: a model of one node shows whether the model or the
    // provider is at fault.
    const problem = providers[provider].isDevice ? await checkProvider(provider) : undefined;
    if (problem === undefined) throw loadRefusal(file, error);
    throw new ServerError('provider_unavailable', `The execution provider ${provider} cannot be used in this worker: ${problem}`, {
      cause: error,
    });
  }
  try {
    const { session: served, facts } = await servable(runtime, session, file, options);
    session = served;
    const result = new ServableSession(session, facts);
    refuseUnservable(file, session, result.omitted);
    return result;
  } catch (error) {
    await session.release();
    throw error;
  }
}
