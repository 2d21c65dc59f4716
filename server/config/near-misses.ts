import { basename, dirname, extname, join, relative } from 'node:path';
import { isFile, isFolder, isMountPoint, Met, readableEntries, statOf } from '../system/folders.ts';
import { environmentAt } from '../system/python-environments.ts';
import { SCRIPT_EXTENSIONS } from './script-language.ts';

/** File names of entry scripts, in the order of the search. */
export const SCRIPT_NAMES = ['main', 'score'].flatMap((name) => SCRIPT_EXTENSIONS.map((extension) => name + extension));

const LANGUAGES = new Set(['.r', '.jl', '.java', '.cs', '.go']);
/** How a model becomes an ONNX model, by the extension of its file. */
const CONVERSIONS: Readonly<Record<string, string>> = {
  pkl: 'skl2onnx',
  pickle: 'skl2onnx',
  joblib: 'skl2onnx',
  sav: 'skl2onnx',
  dill: 'skl2onnx',
  cloudpickle: 'skl2onnx',
  skops: 'skl2onnx',
  pt: 'torch.onnx.export',
  pth: 'torch.onnx.export',
  h5: 'tf2onnx',
  hdf5: 'tf2onnx',
  keras: 'tf2onnx',
  pb: 'tf2onnx',
  tflite: 'tf2onnx --tflite',
  mlmodel: 'onnxmltools',
  ubj: 'onnxmltools',
  bst: 'onnxmltools',
  cbm: 'onnxmltools',
  safetensors: 'Optimum',
  gguf: 'Optimum',
  pmml: '',
  ort: '',
};
const ARCHIVES = new Set(['.zip', '.tar', '.gz', '.tgz', '.bz2', '.xz', '.zst', '.7z', '.rar']);

/** Bounds of the search and of its report: a folder may be a whole disk. */
const MOST_LOOKED_AT = 2000;
const MOST_NAMED = 5;

/** The next step for a file that is almost a script or a model. */
type Advice = (name: string, path: string) => string;

const elsewhere: Advice = (name) =>
  `name it with --entry-script ${name} (or AZUREML_ENTRY_SCRIPT), or set AZUREML_SOURCE_DIRECTORY to ${dirname(name)}`;
const otherName: Advice = (name) =>
  `rename it to score${extensionOf(name)}, or name it with --entry-script ${name} (or AZUREML_ENTRY_SCRIPT)`;
const otherLanguage: Advice = () =>
  'this server runs entry scripts in TypeScript, JavaScript and Python: write init() and run() in score.ts or score.py (docs/entry-scripts.md)';
const convert: Advice = (name) => {
  const tool = CONVERSIONS[extensionOf(name).slice(1)];
  return `this server runs ONNX models: convert it to one .onnx file${tool ? ` (${tool})` : ''}, or write a score.py that loads it (docs/migrate-from-azureml.md)`;
};
const notebook: Advice = () => 'the server runs no notebooks: put init() and run() into score.py (docs/python-scripts.md)';
const mlflow: Advice = () =>
  'an MLflow model: convert it to one .onnx file, or write a score.py that calls mlflow.pyfunc.load_model (docs/migrate-from-azureml.md)';
const unpack: Advice = () => 'unpack it: the server opens no archives';
const noFile: Advice = () => 'expected a file, but it is a folder: container engines create one if the file to mount does not exist';
const noTarget: Advice = () => 'it cannot be opened: the target of the link does not exist, or permission is missing';
const device: Advice = () => 'expected a file, but it is a pipe, a socket or a device';
const unsearched: Advice = (_, path) =>
  `the server looks for models elsewhere, or not as deep: name it with --model ${path} (or MODEL_FILE)`;

function adviceFor(path: string, name: string): Advice | undefined {
  const [extension, nested] = [extensionOf(name), name.includes('/')];
  const known = SCRIPT_NAMES.includes(basename(name));
  if (isFolder(path)) return known || extension === '.onnx' ? noFile : undefined;
  if (!isFile(path)) {
    const why = statOf(path) === undefined ? noTarget : device;
    return known || extension === '.onnx' ? why : undefined;
  }
  if (SCRIPT_EXTENSIONS.includes(extension)) {
    if (nested) return known ? elsewhere : undefined;
    return /\.d\.[cm]?ts$/.test(name) ? undefined : otherName;
  }
  if (extension === '.ipynb') return nested ? undefined : notebook;
  if (LANGUAGES.has(extension)) return nested ? undefined : otherLanguage;
  if (basename(name) === 'MLmodel') return mlflow;
  if (Object.hasOwn(CONVERSIONS, extension.slice(1))) return convert;
  if (ARCHIVES.has(extension)) return unpack;
  return extension === '.onnx' ? unsearched : undefined;
}

function extensionOf(name: string): string {
  return extname(name).toLowerCase();
}

/**
 * One line of advice for each file that is almost a script or a model; files near the folder come
 * first.
 * @param without a folder to skip
 * @param levels depth of the search
 */
export function nearMisses(folder: string, without: string, levels: number): string[] {
  if (isFile(folder)) return lineOf(folder, basename(folder));
  const found: string[] = [];
  const met = new Met();
  let left = MOST_LOOKED_AT;
  let level = met.first(folder) ? [folder] : [];
  for (let depth = 0; depth < levels && level.length > 0; depth++) {
    const below: string[] = [];
    for (const path of level) {
      for (const { name } of readableEntries(path)) {
        if (left-- <= 0) return found;
        const child = join(path, name);
        if (name.startsWith('.') || name === 'node_modules' || child === without || environmentAt(child) !== undefined) continue;
        found.push(...lineOf(child, relative(folder, child)));
        if (isFolder(child) && met.first(child)) below.push(child);
      }
    }
    level = below;
  }
  return found;
}

function lineOf(path: string, name: string): string[] {
  const known = adviceFor(path, name);
  return known === undefined ? [] : [`${name}: ${known(name, path)}.`];
}

/** The next steps if these folders hold nothing to serve. @param near the lines of `nearMisses` */
export function advice(folders: readonly string[], near: readonly string[]): string {
  const empty = folders.filter((folder) => isFolder(folder) && readableEntries(folder).length === 0);
  const lines = [
    ...folders.filter((folder) => statOf(folder) === undefined).map((folder) => `${folder} does not exist, or cannot be read.`),
    ...empty.map((folder) =>
      isMountPoint(folder)
        ? `${folder} is a mounted volume that is empty: check that the right one is mounted.`
        : `${folder} is empty: check that the files were copied, or that their volume is mounted.`,
    ),
    ...near.slice(0, MOST_NAMED),
    ...(near.length > MOST_NAMED ? [`And ${near.length - MOST_NAMED} more such files.`] : []),
    'Put score.ts, score.py or one .onnx file there, or name yours with --entry-script, --model or --model-dir (AZUREML_ENTRY_SCRIPT, MODEL_FILE, AZUREML_MODEL_DIR).',
  ];
  return `What to do:${lines.map((line) => `\n  - ${line}`).join('')}`;
}
