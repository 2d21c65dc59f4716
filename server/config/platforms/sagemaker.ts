import { type BatchJob, given, otherPort, PLAIN, type Platform, type Ports, type Surroundings } from './platform.ts';

/** Where SageMaker unpacks `model.tar.gz`. */
const MODELS = '/opt/ml/model';
/** Where its tools put the code into `model.tar.gz`; else it lies at the top. */
const SCRIPTS = [`${MODELS}/code`, MODELS];
const PORT = 8080;

/** Variables that only SageMaker sets. */
const OWN = [
  'SAGEMAKER_BIND_TO_PORT',
  'SAGEMAKER_SAFE_PORT_RANGE',
  'SAGEMAKER_BATCH',
  'SAGEMAKER_MAX_PAYLOAD_IN_MB',
  'SAGEMAKER_BATCH_STRATEGY',
  'SAGEMAKER_MAX_CONCURRENT_TRANSFORMS',
] as const;
type Variable = (typeof OWN)[number];

/** A variable of SageMaker. A wrong value is a warning: a user cannot change all of them. */
interface Row<T> {
  readonly name: Variable;
  readonly expected: string;
  /** What a wrong value counts as. */
  readonly otherwise: string;
  /** Undefined: the value is wrong. */
  readonly parse: (value: string) => T | undefined;
}

const whole =
  (least: number, most: number) =>
  (value: string): number | undefined => {
    const number = /^\d{1,9}$/.test(value.trim()) ? Number(value) : NaN;
    return number >= least && number <= most ? number : undefined;
  };

const bindToPort: Row<number> = {
  name: 'SAGEMAKER_BIND_TO_PORT',
  expected: 'a port from 1 to 65535',
  otherwise: String(PORT),
  parse: whole(1, 65_535),
};
const safePorts: Row<readonly [from: number, to: number]> = {
  name: 'SAGEMAKER_SAFE_PORT_RANGE',
  expected: 'a range of ports, such as 21000-21999',
  otherwise: 'any range',
  parse: (value) => {
    const [from = NaN, to = NaN] = /^\s*(\d{1,5})\s*-\s*(\d{1,5})\s*$/.exec(value)?.slice(1).map(Number) ?? [];
    return from <= to && to <= 65_535 ? [from, to] : undefined;
  },
};
const batch: Row<boolean> = {
  name: 'SAGEMAKER_BATCH',
  expected: 'true or false',
  otherwise: 'false',
  parse: (value) => ({ true: true, false: false })[value.trim().toLowerCase()],
};
/** 0: a job has no limit of its own. */
const payload: Row<number> = {
  name: 'SAGEMAKER_MAX_PAYLOAD_IN_MB',
  expected: 'a whole number of megabytes',
  otherwise: 'unset',
  parse: whole(0, 100_000),
};
const strategy: Row<NonNullable<BatchJob['strategy']>> = {
  name: 'SAGEMAKER_BATCH_STRATEGY',
  expected: 'MULTI_RECORD or SINGLE_RECORD',
  otherwise: 'unset',
  parse: (value) => (['MULTI_RECORD', 'SINGLE_RECORD'] as const).find((word) => word === value.trim().toUpperCase()),
};
const concurrency: Row<number> = {
  name: 'SAGEMAKER_MAX_CONCURRENT_TRANSFORMS',
  expected: 'a whole number',
  otherwise: 'unset',
  // 0: SageMaker chooses.
  parse: whole(0, 1_000_000),
};
const rows: readonly Row<unknown>[] = [bindToPort, safePorts, batch, payload, strategy, concurrency];

function read<T>(around: Surroundings, row: Row<T>): T | undefined {
  const value = given(around, row.name);
  return value === undefined ? undefined : row.parse(value);
}

export const sagemaker: Platform = {
  ...PLAIN,
  name: 'sagemaker',
  title: 'SageMaker',
  doc: { signs: '`/opt/ml/model`, a `SAGEMAKER_` variable of its own, or `serve` alone', port: '`SAGEMAKER_BIND_TO_PORT`, else 8080' },
  detect: (around) => {
    const { argv, isFolder } = around;
    if (isFolder(MODELS)) return `${MODELS} is there`;
    const variable = OWN.find((name) => given(around, name) !== undefined);
    if (variable !== undefined) return `${variable} is set`;
    // With flags it is this server's own command line.
    if (argv.length === 1 && argv[0] === 'serve') return 'the command is serve alone (for another profile: serve --profile plain)';
    return undefined;
  },
  values: (around) => {
    const megabytes = read(around, payload) ?? 0;
    return {
      PORT: String(read(around, bindToPort) ?? PORT),
      // Within the 30 s after SIGTERM.
      DRAIN_TIMEOUT_MS: '20000',
      // An empty folder is that of an endpoint whose image has the model.
      ...(around.isFolder(MODELS) && around.namesIn(MODELS).length > 0 && { AZUREML_MODEL_DIR: MODELS }),
      ...(megabytes > 0 && { BODY_LIMIT_BYTES: `${megabytes}M` }),
    };
  },
  routes: () => [
    { path: '/ping', kind: 'ping' },
    { path: '/invocations', kind: 'invocations' },
    { path: '/execution-parameters', kind: 'execution-parameters' },
    { path: '/models', kind: 'several-models' },
    { path: '/models/:model', kind: 'several-models' },
    { path: '/models/:model/invoke', kind: 'several-models' },
  ],
  scriptFolders: SCRIPTS,
  warnings: (around, ports) => [...wrongVariables(around), ...wrongPorts(around, ports)],
  portVariable: bindToPort.name,
  idHeader: 'x-amzn-sagemaker-inference-id',
  batch: (around) => {
    const atOnce = read(around, concurrency) ?? 0;
    return { concurrency: atOnce === 0 ? undefined : atOnce, strategy: read(around, strategy) };
  },
  collects: "SageMaker's data capture",
};

function wrongVariables(around: Surroundings): string[] {
  return rows.flatMap(({ name, expected, otherwise, parse }) => {
    const value = given(around, name);
    if (value === undefined || parse(value) !== undefined) return [];
    return [`${name}: expected ${expected}, got ${JSON.stringify(value.slice(0, 100))}. It counts as ${otherwise}`];
  });
}

function wrongPorts(around: Surroundings, { main, second }: Ports): string[] {
  const warnings = otherPort(sagemaker.title, main, read(around, bindToPort) ?? PORT);
  const [from, to] = read(around, safePorts) ?? [0, 65_535];
  for (const [name, port] of Object.entries(second))
    if (port !== 0 && (port < from || port > to))
      warnings.push(`${name}=${port} lies outside SAGEMAKER_SAFE_PORT_RANGE=${from}-${to}: another container may have that port`);
  return warnings;
}
