import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gpuDevices } from '../../server/system/gpu-devices.ts';

const ORT = fileURLToPath(new URL('../../node_modules/onnxruntime-node/', import.meta.url));
const LIBRARIES = `${ORT}bin/napi-v6/linux/x64`;

/** The GPUs of this machine. */
export const gpus = gpuDevices(process.env);

/**
 * Why nothing can be run on CUDA here, naming the hardware that is missing; false when it can.
 * Given to `skip`.
 */
export const missingGpu =
  process.platform !== 'linux' || process.arch !== 'x64'
    ? `ONNX Runtime for Node has CUDA for linux/x64 only, this is ${process.platform}/${process.arch}`
    : gpus.visible.length === 0 && `no CUDA device: ${gpus.missing.join(' ')}`;

/**
 * Puts the CUDA provider libraries beside ONNX Runtime, by onnxruntime-node's own script, where
 * they are not there yet.
 * @throws Error when they cannot be fetched: on a machine with a GPU that is no reason to skip
 */
export function installProviderLibraries(): void {
  const absent = ['shared', 'cuda'].map((name) => `${LIBRARIES}/libonnxruntime_providers_${name}.so`).filter((file) => !existsSync(file));
  if (absent.length === 0) return;
  const { status, stderr } = spawnSync(process.execPath, [`${ORT}script/install.js`], {
    env: { ...process.env, ONNXRUNTIME_NODE_INSTALL: 'cuda12' },
    encoding: 'utf8',
  });
  if (status !== 0 || absent.some((file) => !existsSync(file))) {
    throw new Error(
      `There is a GPU, but ${absent.join(' and ')} are missing, and onnxruntime-node's install script could not fetch them ` +
        `(it needs the public NuGet feed; a closed network needs a copy of both files there). It said: ${stderr.trim().slice(-1000)}`,
    );
  }
}
