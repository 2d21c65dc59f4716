import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { request as plain, type IncomingMessage } from 'node:http';
import { request as secure } from 'node:https';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { folder } from '../set-up/folder.ts';
import { reaped } from '../set-up/reaper.ts';
import type { Container, PodSpec, Probe } from './objects.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** What a kubelet gives every container, even without links to services. */
const KUBELET = {
  KUBERNETES_SERVICE_HOST: '10.0.0.1',
  KUBERNETES_SERVICE_PORT: '443',
  KUBERNETES_SERVICE_PORT_HTTPS: '443',
  KUBERNETES_PORT: 'tcp://10.0.0.1:443',
  KUBERNETES_PORT_443_TCP: 'tcp://10.0.0.1:443',
};

/** Contents of files by name, as a Secret has them. */
export type Files = Readonly<Record<string, Buffer>>;

export interface End {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** From the order to end on: preStop counts. */
  readonly seconds: number;
}

/**
 * The container of a pod as a process: with its variables, its arguments and its ports, and with
 * the probes and the stop that a kubelet gives it. No container runs; mounted paths are folders of
 * the test.
 */
export class PodProcess {
  readonly container: Container;
  readonly child: ChildProcess;
  readonly lines: string[] = [];
  stderr = '';
  readonly #grace: number;
  readonly #exit: Promise<[number | null, NodeJS.Signals | null]>;

  /** @param mounts what the volumes hold, by name */
  constructor({ containers: [container], terminationGracePeriodSeconds }: PodSpec, mounts: Readonly<Record<string, Files>>) {
    assert.ok(container !== undefined);
    this.container = container;
    this.#grace = terminationGracePeriodSeconds;
    const paths = (container.volumeMounts ?? []).map(({ name, mountPath }) => [mountPath, mount(mounts[name] ?? {})] as const);
    const moved = (value: string): string => {
      const [from, to] = paths.find(([path]) => value === path || value.startsWith(`${path}/`)) ?? ['', ''];
      return to + value.slice(from.length);
    };
    const env = Object.fromEntries(container.env.map(({ name, value = 'scoring-server-pod' }) => [name, moved(value)]));
    const flags = ['--disable-sigusr1', '--max-semi-space-size=32', join(ROOT, 'server/main.ts'), ...(container.args ?? [])];
    this.child = reaped(
      spawn(process.execPath, flags, {
        cwd: folder(),
        env: { ...KUBELET, ...image(), PATH: process.env['PATH'], HOSTNAME: 'scoring-server-pod', ...env },
        stdio: ['ignore', 'pipe', 'pipe'],
      }),
    );
    createInterface({ input: this.child.stdout! }).on('line', (line) => this.lines.push(line));
    this.child.stderr!.on('data', (chunk: Buffer) => (this.stderr += chunk.toString()));
    this.#exit = once(this.child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>;
  }

  /** The address that the server listens on. */
  get host(): string {
    return this.container.env.find(({ name }) => name === 'SCORING_HOST')?.value ?? '';
  }

  /** The number of a port that has a name. */
  port(name: string | number): number {
    if (typeof name === 'number') return name;
    const port = this.container.ports.find((each) => each.name === name)?.containerPort;
    assert.ok(port !== undefined, `the container has no port ${name}`);
    return port;
  }

  /** Probes until the container has started, as often and as long as its startup probe says. */
  async started(): Promise<void> {
    const { startupProbe: startup } = this.container;
    for (let failures = 0; failures < startup.failureThreshold; failures++) {
      if (await this.probe(startup)) return;
      assert.equal(this.child.exitCode, null, `it ended at its start:\n${this.output}`);
      await delay(startup.periodSeconds * 1000);
    }
    assert.fail(`the startup probe failed too often:\n${this.output}`);
  }

  /** One probe: any status from 200 to 399 in time is a success. Certificates are not checked. */
  probe({ httpGet: { path, port, scheme }, timeoutSeconds }: Probe): Promise<boolean> {
    const options = { host: this.host, port: this.port(port), path, timeout: timeoutSeconds * 1000, agent: false };
    const headers = { 'user-agent': 'kube-probe/1.34', connection: 'close' };
    const sent = scheme === 'HTTPS' ? secure({ ...options, headers, rejectUnauthorized: false }) : plain({ ...options, headers });
    return new Promise((resolve) => {
      sent.once('error', () => resolve(false));
      sent.once('timeout', () => sent.destroy(new Error('no answer in time')));
      sent.once('response', ({ statusCode = 0 }: IncomingMessage) => {
        resolve(statusCode >= 200 && statusCode < 400);
        sent.destroy();
      });
      sent.end();
    });
  }

  /** Ends the pod: preStop, SIGTERM, and SIGKILL at the end of the grace period. */
  async end(afterTerm: () => void): Promise<End> {
    const begin = performance.now();
    const kill = setTimeout(() => this.child.kill('SIGKILL'), this.#grace * 1000);
    const sleep = this.container.lifecycle?.preStop.sleep.seconds ?? 0;
    await delay(sleep * 1000);
    this.child.kill('SIGTERM');
    afterTerm();
    const [code, signal] = await this.#exit;
    clearTimeout(kill);
    return { code, signal, seconds: (performance.now() - begin) / 1000 };
  }

  get output(): string {
    return [...this.lines, this.stderr].join('\n');
  }
}

/** A folder as a kubelet mounts a Secret: each name is a link into a folder that is a link, too. */
function mount(files: Files): string {
  const target = folder();
  const data = '..2026_01_01_00_00_00.1';
  mkdirSync(join(target, data));
  symlinkSync(data, join(target, '..data'));
  for (const [name, content] of Object.entries(files)) {
    writeFileSync(join(target, data, name), content);
    symlinkSync(join('..data', name), join(target, name));
  }
  return target;
}

/** Variables of the image that do not name its folders. */
function image(): Record<string, string> {
  const [, lines = ''] = /^ENV (NODE_ENV=(?:.*\\\n)*.*)$/m.exec(readFileSync(join(ROOT, 'Dockerfile.cpu'), 'utf8')) ?? [];
  const variables = [...lines.matchAll(/(\w+)=([^\s\\]+)/g)].map(([, name = '', value = '']) => [name, value] as const);
  assert.ok(variables.length > 1, 'Dockerfile.cpu has no variables');
  return Object.fromEntries(variables.filter(([, value]) => !value.startsWith('/')));
}
