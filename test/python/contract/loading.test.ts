import { join } from 'node:path';
import { contract, SCRIPTS, type Case } from './contract.ts';

const same = [
  'the thread of the import',
  'the thread of init()',
  'the main thread',
  'what is local to the thread',
  'a database of init()',
  'a loop of init()',
  'asyncio.run()',
  'a signal handler',
  'the name of the module',
  'the file of the module',
  'the absolute file of the module',
  'the current folder',
  "whether the script's folder is on the path",
  'a module beside the script',
  'variables of the server',
  'recursion of 900 levels',
  'stdin',
];

contract(
  'what a script sees of its process',
  { script: 'state.py', env: { AZUREML_MODEL_DIR: join(SCRIPTS, 'model'), MINE: 'mine' } },
  same.map((what): Case => ({ name: `sees ${what}`, body: what, both: { status: 200 } })),
);

contract('AZUREML_SOURCE_DIRECTORY', { script: 'source_directory.py', env: { AZUREML_SOURCE_DIRECTORY: 'source' } }, [
  { name: 'is on the import path', body: '', both: { body: { json: ['beside', 'in the source directory'] } } },
]);

contract('a driver module', { script: 'driver.py' }, [
  { name: 'has its own init(), and the run() behind it', body: 'x', both: { body: { json: ['x', 'the driver'] } } },
]);

contract('a script in a folder', { script: 'folder/inside.py' }, [
  { name: 'imports from the root', body: 'beside', both: { body: { json: 'beside' } } },
  {
    name: 'imports what is beside it',
    body: 'neighbour',
    differs: {
      because: 'the folder of the script is on the import path too, behind the root',
      peer: { body: { json: 'ModuleNotFoundError' } },
      ours: { body: { json: 'in the folder' } },
    },
  },
]);

contract('AZUREML_MODEL_DIR', { script: 'model_folder.py', env: { AZUREML_MODEL_DIR: join(SCRIPTS, 'model') } }, [
  { name: 'is what init() reads', body: '', both: { body: { json: 'weights' } } },
]);

contract('a run() whose parameter is keyword-only', { script: 'keyword_only.py' }, [
  { name: 'gets the body by name', body: 'x', both: { body: { json: 'x' } } },
]);

contract('a run() that is no function', { script: 'class_run.py' }, [
  { name: 'is called', body: 'x', both: { body: { json: ['x', 2, true] } } },
]);

contract('an async run()', { script: 'async_run.py' }, [
  {
    name: 'is awaited',
    body: 'x',
    differs: {
      because: 'the peer answers 500, since a coroutine is no JSON',
      peer: {
        status: 500,
        'x-ms-run-function-failed': 'False',
        body: { json: { message: 'An unexpected internal error occurred. Check the logs for more info.' } },
      },
      ours: { status: 200, 'x-ms-run-function-failed': 'False', 'x-ms-run-fn-exec-ms': 'milliseconds', body: { json: 'x' } },
    },
  },
]);

contract('a run() that is a generator', { script: 'generator_run.py' }, [
  {
    name: 'is answered in parts',
    body: 'x',
    differs: {
      because: 'the peer answers 500, since a generator is no JSON',
      peer: {
        status: 500,
        'content-type': 'application/json',
        body: { json: { message: 'An unexpected internal error occurred. Check the logs for more info.' } },
      },
      ours: { status: 200, 'content-type': 'text/plain; charset=utf-8', 'x-ms-run-fn-exec-ms': 'milliseconds', body: 'xmore' },
    },
  },
]);
