import { basename, dirname } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import type { Provider } from '../config/execution-provider.ts';

/** The outcome of one try of a provider. */
export interface Checked {
  /** Why it cannot be used; undefined: it can. */
  readonly problem: string | undefined;
  /** Output of ONNX Runtime. The loader's words are only there. */
  readonly stderr: string;
}

const INSTALL =
  'Install the provider libraries with ONNXRUNTIME_NODE_INSTALL=cuda12 node node_modules/onnxruntime-node/script/install.js (GPU image: built in).';

/**
 * ONNX Runtime names a library that cannot be loaded only on stderr, in its own words around the
 * dynamic loader's.
 */
const LOADING = /Failed to load library (.+?) with error: (.+)/;
const SYMBOL = /Failed to get symbol (\S+) with error: (.+?): undefined symbol/;
const ABSENT = /^(.+?): cannot open shared object file/;

/** Missing parts where a provider could not be used, each in one line, the cause first. */
export function explain(provider: Provider, { problem, stderr }: Checked, platform = `${process.platform}/${process.arch}`): string[] {
  if (platform !== 'linux/x64') return [`platform: ONNX Runtime for Node has ${provider} for linux/x64 only, this is ${platform}.`];
  const lines = stripVTControlCharacters(stderr).split('\n');
  const loading = lines.flatMap((line) => explainLoading(line));
  // ONNX Runtime's own error has no more than that then.
  if (loading.length > 0) return Array.from(new Set(loading));
  return [`working ${provider}: ONNX Runtime says: ${problem ?? 'nothing'}${hint(problem ?? '')}`];
}

function explainLoading(line: string): string[] {
  const [, file = '', words = ''] = LOADING.exec(line) ?? [];
  if (file !== '') {
    const absent = ABSENT.exec(words)?.[1];
    if (absent === undefined) return [`usable library ${file}: the loader says: ${words}`];
    if (absent === file) return [`provider library ${basename(file)}: it is not in ${dirname(file)}. ${INSTALL}`];
    if (absent.startsWith('libcuda.so'))
      return [`NVIDIA driver library ${absent}, which ${basename(file)} needs: the container toolkit brings it (docker run --gpus all).`];
    return [
      `library ${absent}, which ${basename(file)} needs: install it (${packageOf(absent)}), or put its folder into LD_LIBRARY_PATH. ldd ${file} lists all.`,
    ];
  }
  const [, symbol = '', library = ''] = SYMBOL.exec(line) ?? [];
  return symbol === '' ? [] : [`symbol ${symbol} in ${library}: this is not the library of the ONNX Runtime in use. ${INSTALL}`];
}

/** The package of a library, by its name. */
function packageOf(library: string): string {
  if (library.startsWith('libcudnn')) return 'cuDNN 9 for CUDA 12';
  if (library.startsWith('libnv')) return 'TensorRT 10 for CUDA 12';
  return 'the CUDA 12 runtime';
}

/** CUDA's errors by number: the text around them is ONNX Runtime's. */
function hint(problem: string): string {
  const number = /CUDA failure (\d+)/.exec(problem)?.[1];
  if (number === '35') return ' The NVIDIA driver is too old for CUDA 12: it must be at least 525.60.13.';
  if (number === '100') return ' CUDA sees no device: check the container (docker run --gpus all) and CUDA_VISIBLE_DEVICES.';
  if (number === '101') return ' There is no device of that number: check CUDA_DEVICE_IDS and CUDA_VISIBLE_DEVICES.';
  if (number === '2') return ' The memory of the device is used up: check nvidia-smi, and start fewer workers a device.';
  if (number === '209') return ' This build has no code for the architecture of this device.';
  return '';
}
