import { closeSync, openSync, readSync } from 'node:fs';

/** What a file is that is no ONNX model, and the next step. */
interface FileKind {
  readonly what: string;
  readonly remedy: string;
}

const HEAD_BYTES = 512;

/**
 * Names the kind of a file by its first bytes, a pickle also by its name; undefined if they are of
 * no known kind, or cannot be read. Only for files that ONNX Runtime has refused: a model may begin
 * with any bytes.
 */
export function fileKind(path: string): FileKind | undefined {
  const head = headOf(path);
  if (head === undefined) return undefined;
  const found = kinds.find(([matches]) => matches(head, path));
  return found && { what: found[1], remedy: found[2] };
}

function headOf(path: string): Buffer | undefined {
  let fd: number | undefined;
  try {
    fd = openSync(path, 'r');
    const head = Buffer.alloc(HEAD_BYTES);
    return head.subarray(0, readSync(fd, head, 0, HEAD_BYTES, 0));
  } catch {
    return undefined;
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

type Matches = (head: Buffer, path: string) => boolean;

const begins =
  (text: string, at = 0): Matches =>
  (head) =>
    head.toString('latin1', at, at + text.length) === text;

const reads =
  (pattern: RegExp): Matches =>
  (head) =>
    // A page may begin with a byte-order mark.
    pattern.test(head.toString('latin1').replace(/^\xef\xbb\xbf/, ''));

/** The name of the first entry tells archives of frameworks apart. */
const zipWith =
  (pattern: RegExp): Matches =>
  (head, path) =>
    isZip(head, path) && pattern.test(head.toString('latin1', 30, 30 + head.readUInt16LE(26)));

const startsZip = begins('PK\x03\x04');
const isZip: Matches = (head, path) => head.length > 30 && startsZip(head, path);
/** The protocols 2 to 5. Why the name: older ones have no mark, and joblib compresses. */
const isPickle: Matches = (head, path) =>
  (head[0] === 0x80 && (head[1] ?? 0) >= 2 && (head[1] ?? 0) <= 5) || /\.(?:pkl|pickle|joblib)$/i.test(path);
/** A length of 8 bytes, then JSON. */
const isSafetensors: Matches = (head) => head.length > 8 && head.readUInt32LE(4) === 0 && /^\{\s*["}]/.test(head.toString('latin1', 8));

const FROM_TORCH = 'Export the model with torch.onnx.export, or write a score.py that loads it.';
const FROM_KERAS = 'Convert it with tf2onnx or keras2onnx, or with model.export(..., format="onnx") of Keras 3.';
const UNPACK = 'Unpack it: the server opens no archives.';

/** The first that matches counts. */
const kinds: readonly (readonly [matches: Matches, what: string, remedy: string])[] = [
  [(head) => head.length === 0, 'an empty file', 'Copy it again: the copy or the download was interrupted.'],
  [
    begins('version https://git-lfs'),
    'a Git LFS pointer',
    'Run `git lfs pull` where the model was checked out, and copy the file that it fetches.',
  ],
  [
    reads(/^\s*(?:<!--.*?-->\s*)?<(?:!doctype html|html|head|body)/i),
    'an HTML page',
    'Download the model again: a login or error page was saved in its place.',
  ],
  [reads(/^\s*<\?xml/), 'an XML text', 'Download the model again: an error message was saved in its place, or export it as ONNX.'],
  [zipWith(/(?:^|\/)(?:data\.pkl|\.format_version|version|byteorder)$/), 'a PyTorch file', FROM_TORCH],
  [zipWith(/^(?:metadata\.json|config\.json)$/), 'a Keras file', FROM_KERAS],
  [isZip, 'a ZIP archive', UNPACK],
  [begins('\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19'), 'a PyTorch file', FROM_TORCH],
  [isPickle, 'a Python pickle', 'Convert the model, with skl2onnx for scikit-learn, or write a score.py that loads it.'],
  [begins('\x1f\x8b'), 'a gzip file', 'Unpack it (gunzip, tar -xzf): the server opens no archives.'],
  [reads(/^(?:BZh\d|\x28\xb5\x2f\xfd|\xfd7zXZ|7z\xbc\xaf)/), 'a compressed file', UNPACK],
  [begins('ustar', 257), 'a tar archive', UNPACK],
  [begins('\x89HDF\r\n\x1a\n'), 'an HDF5 file, as Keras writes it', FROM_KERAS],
  [begins('TFL3', 4), 'a TFLite model', 'Convert it with tf2onnx --tflite.'],
  [begins('ORTM', 4), 'a model in ORT format', 'Serve the ONNX model from which it was made.'],
  [begins('GGUF'), 'a GGUF model', 'Export the original model as ONNX, for example with Optimum.'],
  [isSafetensors, 'a safetensors file', 'It has weights without a graph: export the model as ONNX, for example with Optimum.'],
  [reads(/^\s*[{[]\s*["{}\]]/), 'a JSON text', 'Download the model again: an error message was saved in its place, or export it as ONNX.'],
];
