"""Makes every export, judges it, and writes exports.json. Usage: python main.py [WORD in the file's name]..."""

import importlib
import json
import pathlib
import subprocess
import sys
import traceback

import onnx

from exporting import LARGEST, stripped

HERE = pathlib.Path(__file__).parent
MAKERS = ('torch_models', 'torch_sequences', 'hugging_face', 'scikit_learn', 'boosted_trees', 'quantised', 'fused', 'mixing')
OPTIONAL = ('integers', 'dims', 'words', 'holes')


def judged(file, export):
    """What ONNX Runtime answers, in a process of its own."""
    hints = {key: getattr(export, key) for key in OPTIONAL}
    done = subprocess.run(
        [sys.executable, HERE / 'judge.py', file], input=json.dumps(hints), capture_output=True, text=True, timeout=120
    )
    if done.returncode == 0:
        return json.loads(done.stdout)
    return {'measured': f'no answer, exit {done.returncode}', 'difference': {'error': done.stderr.strip()[-200:]}}


def row_of(export, model, found):
    """One row of exports.json; the measure and the author must not contradict each other."""
    fixed = export.row_wise is None
    if fixed != (found['measured'] == 'fixed first dimension') or (export.row_wise and found['measured'] is not True):
        raise ValueError(f'the author says {export.row_wise}, the run {found}')
    row = {
        'file': export.file,
        'maker': export.maker,
        'opsets': {entry.domain or 'ai.onnx': entry.version for entry in model.opset_import},
        'rowWise': 'fixed first dimension' if fixed else export.row_wise,
        'why': export.why,
        **found,
        **{key: getattr(export, key) for key in OPTIONAL if getattr(export, key)},
    }
    return {key: value for key, value in row.items() if value not in ('', {})}


def made(export):
    model = stripped(export.make())
    file = HERE / export.file
    file.parent.mkdir(exist_ok=True)
    data = model.SerializeToString()
    if len(data) > LARGEST:
        raise ValueError(f'{len(data)} bytes are more than {LARGEST}')
    file.write_bytes(data)
    try:
        return row_of(export, model, judged(file, export))
    except Exception:
        file.unlink()
        raise


def main(words):
    table = HERE / 'exports.json'
    rows = {row['file']: row for row in json.loads(table.read_text())} if table.exists() else {}
    failed = []
    for name in MAKERS:
        if not (HERE / f'{name}.py').exists():
            continue
        for export in importlib.import_module(name).exports():
            if words and not any(word in export.file for word in words):
                continue
            rows.pop(export.file, None)
            try:
                row = made(export)
                rows[export.file] = row
                print(export.file, row['rowWise'], row['measured'], row.get('difference'), flush=True)
            except Exception as error:
                failed.append(f'{export.file}: {type(error).__name__}: {str(error)[:300]}')
                print('FAILED', failed[-1], flush=True)
                if '--traces' in sys.argv:
                    traceback.print_exc()
        table.write_text(json.dumps([rows[key] for key in sorted(rows)], indent=1) + '\n')
    print(f'{len(rows)} models, {len(failed)} failed')
    print('\n'.join(failed))


if __name__ == '__main__':
    main([word for word in sys.argv[1:] if not word.startswith('--')])
