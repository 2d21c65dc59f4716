import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { SCRIPTS, withServer } from '../e2e/start-server.ts';
import { writeModel } from '../models/models.ts';
import { castFrom } from '../models/odd-models.ts';
import { folder } from '../set-up/folder.ts';
import { python, whyNoPython } from '../set-up/python.ts';

const run = promisify(execFile);
const HERE = fileURLToPath(new URL('.', import.meta.url));
const KEY = 'key-of-the-openapi-test';
const files = folder();
/**
 * Its rows have a fixed length, and its answers are finite: a schema cannot say that rows of any
 * length are equally long, or that infinities are texts.
 */
function wholeNumbers(type: 'uint8' | 'int32'): string {
  const path = join(folder(), `${type}.onnx`);
  writeFileSync(path, castFrom(type));
  return path;
}

/**
 * What the documents of Azure's server, whose text is the contract, say otherwise: /score takes GET
 * and OPTIONS too, and `/` and /swagger.json are text/plain.
 */
const scoring = ['--include-path', '/score', '--checks', 'all', '--exclude-checks', 'unsupported_method'];
/** A sample describes what a script takes; only an exported schema refuses the rest. */
const described = [...scoring, '--exclude-checks', 'negative_data_rejection'];
/** Fitting bodies are taken, and answered as described. */
const fitting = [...scoring, '--mode', 'positive'];
/** A model takes more than that: other forms, booleans as numbers, numbers as texts. */
const unfitting = [
  '--include-path',
  '/score',
  '--mode',
  'negative',
  '--checks',
  'not_a_server_error,status_code_conformance,content_type_conformance',
];
const others = ['--exclude-path', '/score', '--checks', 'all', '--exclude-checks', 'content_type_conformance'];

const services: Record<string, { readonly args: () => string[]; readonly version: string; readonly checked: readonly string[] }> = {
  'a model': { args: () => ['--model', wholeNumbers('int32')], version: '3', checked: fitting },
  'a model, in OpenAPI 3.1,': { args: () => ['--model', wholeNumbers('uint8')], version: '3.1', checked: fitting },
  'a model that gets other bodies': { args: () => ['--model', writeModel('multi', files)], version: '3', checked: unfitting },
  'a script': { args: () => ['--entry-script', join(SCRIPTS, 'documented.ts')], version: '3', checked: described },
  'a script, in OpenAPI 3.1,': { args: () => ['--entry-script', join(SCRIPTS, 'documented.ts')], version: '3.1', checked: described },
  'a script with a schema': { args: () => ['--entry-script', join(SCRIPTS, 'declares-schema.ts')], version: '3.1', checked: scoring },
  'the other routes': { args: () => ['--entry-script', join(SCRIPTS, 'documented.ts')], version: '3', checked: others },
};

describe('schemathesis finds that the answers are those of the API description', { skip: whyNoPython() ?? false }, () => {
  before(async () => void (await python(HERE)));

  for (const [name, { args, version, checked }] of Object.entries(services))
    it(`of ${name} with keys`, () =>
      withServer(
        args(),
        async (server) => {
          await server.ready();
          const headers = { authorization: `Bearer ${KEY}` };
          const document = join(folder(), 'swagger.json');
          writeFileSync(document, await (await fetch(await server.url(`/swagger.json?version=${version}`), { headers })).text());
          const limits = ['--generation-deterministic', '--max-examples', '60'];
          const command = [
            '-m',
            'schemathesis.cli',
            'run',
            document,
            '--url',
            await server.url(),
            '--header',
            `Authorization: Bearer ${KEY}`,
          ];
          const report = await run(await python(HERE), [...command, ...limits, ...checked, '--no-color'], {
            cwd: files,
          }).catch((failed: { readonly stdout: string }) => failed);
          assert.match(report.stdout, /No issues found/, report.stdout);
        },
        { env: { SCORING_KEYS: `test:${KEY}`, WORKER_CONCURRENCY: '32' } },
      ));
});
