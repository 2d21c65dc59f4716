import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { pythons, SCRIPTS, skip, startOurs } from './contract.ts';
import { Peer } from './peer.ts';

interface FailedStart {
  readonly script: string;
  /** Texts of both logs. */
  readonly says: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly differs?: { readonly because: string; readonly peer: number | 'starts'; readonly ours: number | 'starts' };
}

const IMPORT = 'Failed to import user script because it raised an unhandled exception';
const INIT = "User's init function failed";
const path = (script: string): string => join(SCRIPTS, 'starts', script);

const failed: FailedStart[] = [
  { script: 'import_error.py', says: [IMPORT, "No module named 'no_such_module_of_mine'"] },
  { script: 'syntax_error.py', says: [IMPORT, 'SyntaxError'] },
  { script: 'raises_at_import.py', says: [IMPORT, 'ValueError: at import'] },
  { script: 'exits_at_import.py', says: [IMPORT, 'SystemExit: 7'] },
  { script: 'no_init.py', says: [`User script at ${path('no_init.py')} does not have a init() function defined.`] },
  { script: 'no_run.py', says: [`User script at ${path('no_run.py')} does not have a run() function defined.`] },
  { script: 'empty.py', says: [`User script at ${path('empty.py')} does not have a init() function defined.`] },
  { script: 'init_raises.py', says: [INIT, 'RuntimeError: no model here'] },
  { script: 'init_exits.py', says: [INIT, 'SystemExit: 5'] },
  { script: 'init_with_parameter.py', says: [INIT, "init() missing 1 required positional argument: 'data'"] },
  { script: 'no_parameter.py', says: ['run() needs to accept an argument for input data.'] },
  { script: 'only_headers.py', says: ['run() needs to accept an argument other than "request_headers".'] },
  { script: 'variable_positions.py', says: ['run() cannot accept positional-only arguments, *args, or **kwargs.'] },
  { script: 'variable_names.py', says: ['run() cannot accept positional-only arguments, *args, or **kwargs.'] },
  { script: 'positions_only.py', says: ['run() cannot accept positional-only arguments, *args, or **kwargs.'] },
  { script: 'both_decorators.py', says: ['run() cannot be decorated with both @rawhttp and @input_schema'] },
  { script: 'no_sample.py', says: [IMPORT, 'must provide a sample Numpy array'] },
  { script: 'not_functions.py', says: [] },
  { script: 'no_such_file.py', says: [] },
  {
    script: 'init_raises.py',
    env: { AZUREML_MODEL_DIR: join(SCRIPTS, 'model') },
    says: ['model/', '    inner/', '        b.bin', '    model.txt'],
  },
];

/** The exit code, or that there is none. */
function outcome(server: { ready(): Promise<unknown> }, exited: Promise<number | null>): Promise<number | null | 'starts'> {
  return Promise.race([
    exited,
    server.ready().then(
      () => 'starts' as const,
      () => exited,
    ),
  ]);
}

describe('a failed start', { skip, concurrency: 2 }, () => {
  for (const { script, says, env = {}, differs } of failed)
    it(`of ${script}${env['AZUREML_MODEL_DIR'] === undefined ? '' : ' with a model folder'} has the texts and the exit code of the contract`, async () => {
      const { peer: withPeer, plain } = await pythons();
      const peer = await Peer.start(`starts/${script}`, { python: withPeer, cwd: SCRIPTS, env });
      const ours = startOurs(`starts/${script}`, plain, env);
      try {
        assert.equal(await outcome(peer, peer.exited), differs?.peer ?? 3, peer.log);
        for (const text of says) assert.ok(peer.log.includes(text), `the peer does not say "${text}":\n${peer.log}`);
        const code = await outcome(
          ours,
          ours.exited.then((end) => end.code),
        );
        const log = `${ours.lines.map((line) => JSON.stringify(line)).join('\n')}\n${ours.stderr}`;
        assert.equal(code, differs?.ours ?? 3, log);
        const texts = ours.lines.map((line) => Object.values(line).join('\n')).join('\n');
        for (const text of says) assert.ok(texts.includes(text), `ours does not say "${text}":\n${log}`);
      } finally {
        await Promise.all([peer.stop(), ours.stop()]);
      }
    });
});
