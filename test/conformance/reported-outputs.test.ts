import { status } from '@grpc/grpc-js';
import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';
import { freePort } from '../e2e/free-port.ts';
import { type ServerProcess, withServer } from '../e2e/start-server.ts';
import { GrpcClient } from '../grpc/client.ts';
import { folder } from '../set-up/folder.ts';
import { missing, reportedFile } from './fixtures.ts';

type Members = Record<string, unknown>;

interface Swagger {
  readonly definitions: { readonly ServiceInput: { example?: unknown }; readonly ServiceOutput: Members };
}

/** What clients see of a served model. */
class Seen {
  readonly server: ServerProcess;
  readonly grpc: GrpcClient;
  readonly name: string;

  constructor(server: ServerProcess, grpc: GrpcClient, file: string) {
    this.server = server;
    this.grpc = grpc;
    this.name = path.basename(file, '.onnx');
  }

  async score(body: unknown): Promise<unknown> {
    const response = await this.server.score(body);
    const answer: unknown = await response.json();
    assert.equal(response.status, 200, JSON.stringify(answer));
    return answer;
  }

  async infer(body: Members): Promise<Response> {
    return fetch(await this.server.url(`/v2/models/${this.name}/infer`), { method: 'POST', body: JSON.stringify(body) });
  }

  async get(route: string): Promise<Members> {
    return (await (await fetch(await this.server.url(route))).json()) as Members;
  }

  async swagger(): Promise<Swagger> {
    return (await this.get('/swagger.json')) as unknown as Swagger;
  }

  async properties(): Promise<Members> {
    return (await this.get(`/v2/models/${this.name}`))['properties'] as Members;
  }
}

/** Serves a model without code on both front doors. */
async function serving(file: string, test: (seen: Seen) => Promise<void>): Promise<void> {
  const port = await freePort();
  await withServer(['--model', file, '--grpc-port', String(port)], async (server) => {
    await server.ready();
    const grpc = new GrpcClient(port);
    try {
      await test(new Seen(server, grpc, file));
    } finally {
      grpc.close();
    }
    assert.deepEqual(
      server.lines.filter(({ msg }) => /entry script|scoring script|run\(\)/i.test(msg)),
      [],
      'no line speaks of a script',
    );
  });
}

const close = (got: unknown, expected: readonly number[]): void => {
  const numbers = [got].flat(5) as number[];
  assert.equal(numbers.length, expected.length, JSON.stringify(got));
  for (const [index, number] of numbers.entries()) assert.ok(Math.abs(number - expected[index]!) < 1e-6, JSON.stringify(got));
};

const row = { inputs: { X: [[1, 2, 3, 4]] } };
const SETOSA = [0.03530116751790047, 0.005973906256258488, 0.9587249159812927];

describe('outputs of a reported model', { skip: missing }, () => {
  it('a sequence of probabilities is one tensor, with the labels of its columns', () =>
    serving(reportedFile('skl_multioutput.onnx'), async (seen) => {
      const { outputs } = (await seen.score(row)) as { outputs: { label: unknown; probabilities: unknown } };
      assert.deepEqual(outputs.label, [[2, 0]]);
      close(outputs.probabilities, [...SETOSA, 0.9584450125694275, 0.005966349504888058, 0.0355885848402977]);
      assert.equal((await seen.properties())['class_labels'], '{"probabilities":[0,1,2]}');
      const labelled = (await seen.score({ ...row, parameters: { class_labels: true } })) as {
        outputs: { probabilities: Record<string, number>[][] };
      };
      close(
        labelled.outputs.probabilities.map((each) => each.map((scores) => scores['2'])),
        [SETOSA[2]!, 0.0355885848402977],
      );
      assert.deepEqual(seen.server.linesWith('cannot be carried'), []);
    }));

  it('class labels are in the metadata, in swagger, and in the answer of those who ask', () =>
    serving(reportedFile('skl_logreg_strlabels.onnx'), async (seen) => {
      const labels = ['setosa', 'versicolor', 'virginica'];
      assert.equal((await seen.properties())['class_labels'], JSON.stringify({ output_probability: labels }));
      const { message } = await seen.grpc.call('ModelMetadata', { name: seen.name });
      assert.deepEqual(message['properties'], await seen.properties());
      assert.ok(JSON.stringify((await seen.swagger()).definitions.ServiceOutput).includes(`"x-class-labels":${JSON.stringify(labels)}`));

      const plain = (await seen.score(row)) as { outputs: Members };
      close(plain.outputs['output_probability'], SETOSA);
      const ask = { parameters: { class_labels: true } };
      const named = (await seen.score({ ...row, ...ask })) as { outputs: { output_probability: Members[] } };
      assert.deepEqual(Object.keys(named.outputs.output_probability[0]!), labels);
      close(Object.values(named.outputs.output_probability[0]!), SETOSA);
      const only = (await seen.score({ data: [[1, 2, 3, 4]], outputs: ['output_probability'], ...ask })) as Members[];
      close(Object.values(only[0]!), SETOSA);
      assert.deepEqual(await seen.score({ data: [[1, 2, 3, 4]], outputs: ['output_label'], ...ask }), ['virginica']);

      const input = { name: 'X', shape: [1, 4], datatype: 'FP32' };
      const answer = (await (await seen.infer({ inputs: [{ ...input, data: [1, 2, 3, 4] }], ...ask })).json()) as { outputs: Members[] };
      assert.deepEqual(
        answer.outputs.map(({ name, parameters }) => [name, parameters]),
        [
          ['output_label', undefined],
          ['output_probability', { class_labels: JSON.stringify(labels) }],
        ],
      );
      const call = { model_name: seen.name, inputs: [{ ...input, contents: { fp32_contents: [1, 2, 3, 4] } }] };
      const grpc = await seen.grpc.call('ModelInfer', { ...call, parameters: { class_labels: { bool_param: true } } });
      assert.deepEqual((grpc.message['outputs'] as Members[])[1]!['parameters'], {
        class_labels: { string_param: JSON.stringify(labels) },
      });
      const odd = await seen.server.score({ ...row, parameters: { class_labels: 'yes' } });
      assert.equal(odd.status, 400);
      assert.match(((await odd.json()) as { message: string }).message, /^the parameter class_labels: expected true or false, got "yes"$/);
    }));

  it('outputs named as members of every object are answered, alone and together', () =>
    serving(reportedFile('ctor_out.onnx'), async (seen) => {
      assert.deepEqual(await seen.score({ data: [1.5], outputs: ['constructor'] }), [1.5]);
      assert.deepEqual(await seen.score({ data: [1.5], outputs: ['type'] }), [1.5]);
      const all = { constructor: [1.5], toString: [-1.5], toJSON: [1.5], type: [1.5], dims: [1.5], data: [1.5] };
      assert.deepEqual(await seen.score({ inputs: { x: [1.5] } }), { outputs: all });
      const input = { name: 'x', shape: [1], datatype: 'FP32' };
      const wanted = [{ name: 'toString' }, { name: 'constructor' }];
      const answer = (await (await seen.infer({ inputs: [{ ...input, data: [1.5] }], outputs: wanted })).json()) as { outputs: Members[] };
      assert.deepEqual(
        answer.outputs.map(({ name, data }) => [name, data]),
        [
          ['toString', [-1.5]],
          ['constructor', [1.5]],
        ],
      );
      const inputs = [{ ...input, contents: { fp32_contents: [1.5] } }];
      const { message } = await seen.grpc.call('ModelInfer', { model_name: seen.name, inputs, outputs: wanted });
      assert.deepEqual(
        (message['outputs'] as Members[]).map(({ name }) => name),
        ['toString', 'constructor'],
      );
    }));

  it('an index out of range is a fault of the input, with the sentence of ONNX Runtime', () =>
    serving(reportedFile('gather.onnx'), async (seen) => {
      const sentence = /^model gather: ONNX Runtime refused the input .*idx=10 must be within the inclusive range \[-10,9\]$/;
      const refused = await seen.server.score({ data: [[10]] });
      assert.equal(refused.status, 400);
      assert.match(((await refused.json()) as { message: string }).message, sentence);
      const input = { name: 'ids', shape: [1, 1], datatype: 'INT64' };
      const inferred = await seen.infer({ inputs: [{ ...input, data: [10] }] });
      assert.equal(inferred.status, 400);
      assert.match(((await inferred.json()) as { error: string }).error, sentence);
      const inputs = [{ ...input, contents: { int64_contents: [10] } }];
      const error = await seen.grpc.error('ModelInfer', { model_name: seen.name, inputs });
      assert.equal(error.code, status.INVALID_ARGUMENT);
      assert.match(error.details, sentence);
      assert.deepEqual(await seen.score({ data: [[9]] }), [[[18, 19]]]);
    }));

  it("swagger's example scores, also that of a large input", async () => {
    for (const name of ['image_input.onnx', 'gather.onnx', 'skl_logreg_strlabels.onnx', 'echo_2d.onnx'])
      await serving(reportedFile(name), async (seen) => void (await seen.score((await seen.swagger()).definitions.ServiceInput.example)));
  });
});

describe('a folder of links', { skip: missing }, () => {
  const expected = [0.27095338702201843, 0.2740139067173004, 0.4550326466560364];
  const blob = (name: string): string => reportedFile('hf-layout', 'blobs', name);
  const files: readonly (readonly [name: string, blob: string])[] = [
    ['zipext.onnx', 'a'],
    ['weights.bin', 'b'],
  ];

  /** Puts links to the files under other names. */
  const link = (at: string, targets: (name: string, blob: string) => string): string => {
    mkdirSync(at, { recursive: true });
    for (const [name, from] of files) symlinkSync(targets(name, from), path.join(at, name));
    return path.join(at, 'zipext.onnx');
  };
  const layouts: Readonly<Record<string, (root: string) => string>> = {
    'plain files': (root) => {
      for (const [name, from] of files) copyFileSync(blob(from), path.join(root, name));
      return path.join(root, 'zipext.onnx');
    },
    'the cache of Hugging Face': (root) => {
      mkdirSync(path.join(root, 'blobs'));
      for (const [, from] of files) copyFileSync(blob(from), path.join(root, 'blobs', from));
      return link(path.join(root, 'snapshots', 'rev'), (_, from) => `../../blobs/${from}`);
    },
    'a mounted volume of Kubernetes': (root) => {
      mkdirSync(path.join(root, '..2026_11_29'));
      for (const [name, from] of files) copyFileSync(blob(from), path.join(root, '..2026_11_29', name));
      symlinkSync('..2026_11_29', path.join(root, '..data'));
      return link(path.join(root, 'model'), (name) => `../..data/${name}`);
    },
    'a link to the folder': (root) => {
      const plain = path.join(root, 'plain');
      mkdirSync(plain);
      for (const [name, from] of files) copyFileSync(blob(from), path.join(plain, name));
      symlinkSync('plain', path.join(root, 'linked'));
      return path.join(root, 'linked', 'zipext.onnx');
    },
    'a link to a link, by absolute paths': (root) => {
      mkdirSync(path.join(root, 'real'));
      for (const [, from] of files) copyFileSync(blob(from), path.join(root, 'real', from));
      link(path.join(root, 'first'), (_, from) => path.join(root, 'real', from));
      return link(path.join(root, 'second'), (name) => path.join(root, 'first', name));
    },
  };
  for (const [name, make] of Object.entries(layouts)) {
    it(`serves label and probabilities: ${name}`, () =>
      serving(make(folder()), async (seen) => {
        const { output_label: label, output_probability: scores } = (await seen.score({ data: [[1, 2, 3, 4]] })) as Members;
        assert.deepEqual(label, [2]);
        close(scores, expected);
        assert.deepEqual(seen.server.linesWith('cannot be carried'), []);
      }));
  }
});
