/**
 * The Python servers that people use, each set up as its documents advise for throughput on two
 * cores, access logs off.
 */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { byName, type Case } from '../cases.ts';
import { type HttpSubject, json, startHttp } from '../http-subject.ts';
import { PythonEnvironment } from '../python-environment.ts';
import { freePort } from '../subject-process.ts';
import { ADDRESS, type Place, type Subject } from '../subject.ts';
import { pythonEnv, scriptBody, scriptOf, scriptPredictions, scriptRequirements, SOURCES, WORKERS, writeScriptFiles } from './score-py.ts';

interface Peer extends Pick<Subject, 'name' | 'title'> {
  readonly requirements: readonly string[];
  readonly program: string;
  readonly args: (place: Place, row: Case) => readonly string[];
  readonly env?: (place: Place) => Readonly<Record<string, string>>;
  /** Writes the files that it wants to find. */
  readonly configure?: (place: Place, row: Case, environment: PythonEnvironment) => Promise<void> | void;
  /** Threads of ONNX Runtime in each process that runs the model. */
  readonly threads: number;
  readonly paths: { readonly score: string; readonly ready: string; readonly health: string };
  readonly body?: (row: Case) => unknown;
  readonly predictions?: (answer: unknown, row: Case) => unknown;
}

function subject(peer: Peer): Subject {
  const { name, title, program, threads, paths } = peer;
  const environment = new PythonEnvironment(name, peer.requirements);
  return {
    name,
    title,
    prepare: () => environment.prepare(),
    start: async (row, place) => {
      await peer.configure?.(place, row, environment);
      const base = `http://${ADDRESS}:${place.port}`;
      const body = peer.body ?? ((asked: Case) => ({ inputs: byName(asked) }));
      const predictions = peer.predictions ?? ((answer: unknown) => (answer as { outputs: Record<string, unknown> }).outputs[row.output]);
      const http: HttpSubject = {
        command: {
          file: environment.program(program),
          args: peer.args(place, row),
          env: { ...pythonEnv(row, place, environment, threads), ...peer.env?.(place) },
          folder: place.folder,
        },
        url: base + paths.score,
        body: JSON.stringify(body(row)),
        slow: row.slow,
        ready: base + paths.ready,
        health: base + paths.health,
        predictions: (answer) => predictions(json(answer), row),
      };
      return startHttp(http);
    },
  };
}

const azureml = subject({
  name: 'azureml',
  title: `azureml-inference-server-http, ${WORKERS} workers`,
  requirements: ['azureml-inference-server-http==1.5.1', ...scriptRequirements],
  program: 'azmlinfsrv',
  args: ({ port, folder }, row) => [
    '--entry_script',
    scriptOf(row),
    '--model_dir',
    folder,
    '--port',
    String(port),
    '--worker_count',
    String(WORKERS),
  ],
  env: ({ folder }) => ({ AML_APP_ROOT: folder }),
  configure: (place, row, environment) => writeScriptFiles(row, place, environment),
  threads: 1,
  paths: { score: '/score', ready: '/', health: '/' },
  body: scriptBody,
  predictions: scriptPredictions,
});

const fastapi = subject({
  name: 'fastapi',
  title: 'FastAPI + onnxruntime, async handler, uvicorn with 2 processes',
  requirements: ['fastapi==0.165.0', 'uvicorn[standard]==0.54.0'],
  program: 'uvicorn',
  args: ({ port }) => `fastapi_app:app --host ${ADDRESS} --port ${port} --workers 2 --no-access-log --log-level warning`.split(' '),
  threads: 1,
  paths: { score: '/score', ready: '/health', health: '/health' },
});

const mlserver = subject({
  name: 'mlserver',
  title: 'MLServer, inference in its own process (parallel_workers 0), adaptive batching up to 32 rows',
  requirements: ['mlserver==1.7.1', 'uvloop==0.21.0'],
  program: 'mlserver',
  args: ({ folder }) => ['start', folder],
  configure: async ({ folder, port }) => {
    const [grpc, metrics] = [await freePort(), await freePort()];
    writeFileSync(
      join(folder, 'settings.json'),
      JSON.stringify({
        debug: false,
        host: ADDRESS,
        http_port: port,
        grpc_port: grpc,
        metrics_port: metrics,
        parallel_workers: 0,
      }),
    );
    writeFileSync(
      join(folder, 'model-settings.json'),
      JSON.stringify({ name: 'bench', implementation: 'mlserver_model.OnnxModel', max_batch_size: 32, max_batch_time: 0.002 }),
    );
  },
  threads: 1,
  paths: { score: '/v2/models/bench/infer', ready: '/v2/models/bench/ready', health: '/v2/health/live' },
  body: (row) => ({ inputs: row.inputs.map(({ name, datatype, shape, values }) => ({ name, datatype, shape, data: values })) }),
  predictions: (answer) => (answer as { outputs: { data: unknown }[] }).outputs[0]?.data,
});

const litserve = subject({
  name: 'litserve',
  title: 'LitServe, batches up to 32 rows, fast queue',
  requirements: ['litserve==0.2.19'],
  program: 'python',
  args: () => [join(SOURCES, 'litserve_app.py')],
  threads: 1,
  paths: { score: '/predict', ready: '/health', health: '/health' },
});

const bentoml = subject({
  name: 'bentoml',
  title: 'BentoML, 2 workers, adaptive batching up to 32 rows',
  requirements: ['bentoml==1.4.39'],
  program: 'bentoml',
  args: () => ['serve', 'bentoml_service:Scorer', '--working-dir', SOURCES],
  env: ({ folder }) => ({ BENTOML_HOME: join(folder, 'bentoml'), BENTOML_DO_NOT_TRACK: 'True' }),
  threads: 1,
  paths: { score: '/score', ready: '/readyz', health: '/livez' },
  // Rows of the only input: its batches are arrays.
  body: (row) => ({ rows: Object.values(byName(row))[0] }),
  predictions: (answer) => answer,
});

export const pythonPeers: readonly Subject[] = [fastapi, azureml, mlserver, litserve, bentoml];
