import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import type * as onnxruntime from 'onnxruntime-node';
import type { InferenceSession } from 'onnxruntime-node';
import { ServerError } from '../errors.ts';
import { executionProviders } from './execution-providers.ts';
import { SessionModel, type Loaded, type OpenedModel } from './model.ts';
import { loadRefusal, refuseUnservable } from './refusals.ts';
import { withoutZipMap } from './zip-map.ts';

type Runtime = typeof onnxruntime;

/** ONNX Runtime's threads wait without spinning: the host and other workers need the same cores. */
const SHARED_CORES = { 'session.intra_op.allow_spinning': '0' };

/**
 * Loads an ONNX model from a file; data in files beside it is found. Blocks the thread while ONNX Runtime works.
 *
 * ZipMap is removed (zip-map.ts). Other outputs that are no tensors are left out.
 * ORT_DISABLE_TELEMETRY=1 must be in the environment: it is read when the library loads.
 * @param options.intraOpThreads threads of one inference, at least 1
 * @throws ServerError model_missing when there is no such file, model_refused when it cannot be loaded or served
 */
export async function openSession(file: string, options: { intraOpThreads: number }): Promise<OpenedModel> {
  const absolute = path.resolve(file);
  const found = await stat(absolute).catch(() => undefined);
  if (!found?.isFile())
    throw new ServerError('model_missing', `model ${absolute}: expected a file, ${found ? 'got a folder' : 'found nothing'}.`);
  const runtime = await loadRuntime();
  const started = performance.now();
  const session = await load(runtime, absolute, options.intraOpThreads);
  const about: Loaded = {
    provider: 'cpu',
    intraOpThreads: options.intraOpThreads,
    ortVersion: runtime.env.versions.node ?? runtime.env.versions.common,
    loadSeconds: (performance.now() - started) / 1000,
    omittedOutputs: session.outputMetadata.filter(({ isTensor }) => !isTensor).map(({ name }) => name),
  };
  return new SessionModel(runtime, session, absolute, about);
}

/** The library, ready for float16. Imported late, so that scripts without a model do not pay for it. */
async function loadRuntime(): Promise<Runtime> {
  const runtime = await import('onnxruntime-node');
  // The first tensor of a process decides the class of float16 data. Where Float16Array exists it would be chosen, and
  // the binding of 1.30 cannot read it: hide it for a moment, and bits in a Uint16Array are taken. Harmless when repeated.
  const Float16 = Object.getOwnPropertyDescriptor(globalThis, 'Float16Array');
  Reflect.deleteProperty(globalThis, 'Float16Array');
  try {
    void new runtime.Tensor('float32', [0], [1]);
  } finally {
    if (Float16 !== undefined) Object.defineProperty(globalThis, 'Float16Array', Float16);
  }
  return runtime;
}

async function load(runtime: Runtime, file: string, intraOpThreads: number): Promise<InferenceSession> {
  const options: InferenceSession.SessionOptions = {
    executionProviders: executionProviders('cpu'),
    intraOpNumThreads: intraOpThreads,
    interOpNumThreads: 1,
    executionMode: 'sequential',
    extra: SHARED_CORES,
    logSeverityLevel: 4,
  };
  let session: InferenceSession;
  try {
    session = await runtime.InferenceSession.create(file, options);
  } catch (error) {
    throw loadRefusal(file, error);
  }
  try {
    if (!session.outputMetadata.every(({ isTensor }) => isTensor)) session = await replaceZipMap(runtime, session, file, options);
    refuseUnservable(file, session);
  } catch (error) {
    await session.release();
    throw error;
  }
  return session;
}

/** A session without ZipMap; the one given where there is none, or where it cannot be removed. */
async function replaceZipMap(
  runtime: Runtime,
  session: InferenceSession,
  file: string,
  options: InferenceSession.SessionOptions,
): Promise<InferenceSession> {
  const bytes = await readFile(file)
    .then(withoutZipMap)
    .catch(() => undefined);
  if (bytes === undefined) return session;
  // A model in memory has no folder, so that of its external data must be said
  const extra = { ...SHARED_CORES, 'session.model_external_initializers_file_folder_path': path.dirname(file) };
  const replacement = await runtime.InferenceSession.create(bytes, { ...options, extra }).catch(() => undefined);
  if (replacement === undefined) return session;
  await session.release();
  return replacement;
}
