import assert from 'node:assert/strict';
import { after, before, describe, it, test } from 'node:test';
import { gpuDevices } from '../../server/system/gpu-devices.ts';
import { writeModel } from '../models/models.ts';
import { folder } from '../set-up/folder.ts';
import { withServer } from './start-server.ts';
import { missing, ServerCopy } from './stub-providers.ts';

/** These tests are for machines without a GPU; test:gpu is for the others. */
const gpu = gpuDevices({}).visible.length > 0 && 'this machine has a GPU';

/** Starts a server that must refuse: exit code 4, never ready, and one line that says why. */
async function refusal(args: readonly string[], options: { env?: Record<string, string>; home?: string } = {}): Promise<string> {
  let message = '';
  await withServer(
    ['--entry-script', 'echo.ts', ...args],
    async (server) => {
      const probe = (path: string): Promise<Response | undefined> =>
        server
          .url(path)
          .then(fetch)
          .catch(() => undefined);
      const [live, ready] = [await probe('/health/live'), await probe('/health/ready')];
      // The server may have failed, or have ended, before a probe arrives: alive it is only until
      // then.
      if (live?.status !== 200) await server.line(({ level }) => level === 'fatal');
      if (ready !== undefined) assert.equal(ready.status, 503);
      assert.deepEqual(await server.exited, { code: 4, signal: null }, server.stderr);
      const fatal = await server.line(({ level }) => level === 'fatal');
      assert.deepEqual([fatal['code'], fatal['exitCode']], ['provider_unavailable', 4]);
      assert.equal(
        server.lines.find(({ msg }) => msg === 'ready' || msg === 'worker ready'),
        undefined,
      );
      message = fatal.msg;
    },
    options,
  );
  return message;
}

test('cuda without a GPU ends the server with 4, and names the driver and the provider library', { skip: gpu }, async () => {
  const message = await refusal(['--execution-provider', 'cuda']);
  assert.match(message, /^EXECUTION_PROVIDER=cuda cannot be used/);
  assert.match(message, / - NVIDIA driver: .*\/dev\/nvidiactl/);
  if (process.platform === 'linux' && process.arch === 'x64') assert.match(message, / - provider library libonnxruntime_providers_/);
  else assert.match(message, /linux\/x64 only/);
  assert.match(await refusal(['--execution-provider', 'tensorrt']), /^EXECUTION_PROVIDER=tensorrt cannot be used/);
});

test('cuda on device 3 of 1 ends the server with 4, and the log lists the devices', { skip: gpu }, async () => {
  const message = await refusal([], { env: { EXECUTION_PROVIDER: 'cuda', CUDA_DEVICE_IDS: '3', CUDA_VISIBLE_DEVICES: '0' } });
  assert.match(message, /CUDA_DEVICE_IDS asks for device 3, but only device 0 is visible here/);
});

test('auto without a GPU serves from the CPU, and log, metrics and metadata report it', { skip: gpu }, async () => {
  await withServer(['--execution-provider', 'auto', '--model', writeModel('ridge', folder())], async (server) => {
    await server.ready();
    const said = await server.said('EXECUTION_PROVIDER=auto: models run on cpu');
    assert.equal(said['level'], 'warn');
    assert.match(said.msg, /NVIDIA driver/);
    const metrics = await server.metrics();
    assert.match(metrics, /^inference_provider_info\{asked="auto",used="cpu",devices=""\} 1$/m);
    assert.match(metrics, /^session_info\{model="ridge",provider="cpu",/m);
    const metadata = (await (await fetch(await server.url('/v2/models/ridge'))).json()) as { properties: Record<string, string> };
    assert.equal(metadata.properties['execution_provider'], 'cpu');
    assert.equal((await server.score({ inputs: { X: [[0, 0, 0, 0, 0, 0, 0, 0, 0, 0]] } })).status, 200);
  });
});

test('a provider that ONNX Runtime for Node lacks is refused by name, with exit code 2', () =>
  withServer(['--execution-provider', 'fpga'], async (server) => {
    assert.deepEqual(await server.exited, { code: 2, signal: null });
    assert.match(
      server.stderr,
      /--execution-provider: ONNX Runtime for Node has no execution provider "fpga"; expected one of cpu, cuda, tensorrt, auto/,
    );
  }));

test('a signal while the provider is tried ends the server as any other', { skip: gpu }, () =>
  withServer(['--execution-provider', 'cuda', '--entry-script', 'echo.ts'], async (server) => {
    await server.said('listening');
    server.child.kill('SIGINT');
    const { code } = await server.exited;
    // Which of the two comes first is a matter of milliseconds; the log shows
    // it, and the exit code has to agree.
    const [draining, fatal] = ['draining', 'fatal'].map((word) =>
      server.lines.findIndex(({ msg, level }) => msg === word || level === word),
    );
    const failedFirst = draining === -1 || draining! > fatal!;
    assert.equal(code, fatal === -1 ? 0 : failedFirst ? 4 : 1);
  }),
);

describe('with broken provider libraries', { skip: gpu || missing }, () => {
  const SHARED = 'libonnxruntime_providers_shared.so';
  const CUDA = 'libonnxruntime_providers_cuda.so';
  let copy: ServerCopy;
  before(() => {
    copy = new ServerCopy();
  });
  after(() => copy.remove());
  const cuda = (): Promise<string> => refusal(['--execution-provider', 'cuda'], { home: copy.home });

  it('a library of another version is named, with the symbol that it lacks', async () => {
    copy.build(SHARED, 'int nothing(void) { return 0; }');
    assert.match(await cuda(), / - symbol Provider_SetHost in \S+libonnxruntime_providers_shared\.so/);
  });

  it('the provider library itself is named where only its companion is there', async () => {
    copy.build(SHARED, 'void Provider_SetHost(void *host) { (void)host; }');
    assert.match(await cuda(), / - provider library libonnxruntime_providers_cuda\.so: it is not in \S+linux\/x64\./);
  });

  it('a library that it needs is named by its file', async () => {
    copy.build(SHARED, 'void Provider_SetHost(void *host) { (void)host; }');
    for (const [library, from] of [
      ['libcudnn.so.9', /install it \(cuDNN 9 for CUDA 12\)/],
      ['libcublasLt.so.12', /install it \(the CUDA 12 runtime\)/],
      ['libcuda.so.1', /NVIDIA driver library libcuda\.so\.1/],
    ] as const) {
      copy.build(CUDA, 'void *GetProvider(void) { return 0; }', library);
      const message = await cuda();
      assert.match(message, new RegExp(`library ${library.replaceAll('.', '\\.')}, which libonnxruntime_providers_cuda\\.so needs`));
      assert.match(message, from);
    }
  });

  it('a provider that crashes takes neither the server nor its reason with it', async () => {
    copy.build(SHARED, 'void Provider_SetHost(void *host) { (void)host; }');
    copy.build(CUDA, 'void *GetProvider(void) { return 0; }');
    assert.match(await cuda(), /the process that tried cuda was ended by signal SIGSEGV/);
  });

  it('auto serves from the CPU with each of them', async () => {
    copy.build(CUDA, 'void *GetProvider(void) { return 0; }', 'libcudnn.so.9');
    await withServer(
      ['--execution-provider', 'auto'],
      async (server) => {
        await server.ready();
        const said = await server.said('EXECUTION_PROVIDER=auto: models run on cpu');
        assert.match(said.msg, /library libcudnn\.so\.9/);
      },
      // Without a visible device the library is not tried at all.
      { home: copy.home, cwd: copy.home, env: { CUDA_VISIBLE_DEVICES: '0' } },
    );
  });
});
