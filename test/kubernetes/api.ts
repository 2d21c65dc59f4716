import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { Agent, request } from 'node:https';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import type { Deployment, List, Pod, Resource, Status } from './objects.ts';

export interface Access {
  readonly host: string;
  readonly port: number;
  readonly ca: string;
  readonly token: string;
}

export interface Answer<T> {
  readonly status: number;
  readonly body: T;
}

/** A kind of object, by the API's own discovery. */
interface ApiResource {
  readonly path: (namespace: string) => string;
  readonly kind: string;
  readonly groupVersion: string;
  readonly namespaced: boolean;
  readonly verbs: readonly string[];
}

interface Discovery {
  readonly items: readonly {
    readonly metadata?: { readonly name?: string };
    readonly versions: readonly {
      readonly version: string;
      readonly resources?: readonly {
        readonly resource: string;
        readonly responseKind: { readonly kind: string };
        readonly scope: 'Namespaced' | 'Cluster';
        readonly verbs: readonly string[];
      }[];
    }[];
  }[];
}

const DISCOVERY = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';
const YAML = 'application/yaml';

/** Speaks to an API server. */
export class Api {
  readonly #access: Access;
  readonly #agent: Agent;

  constructor(access: Access) {
    this.#access = access;
    this.#agent = new Agent({ keepAlive: true, ca: access.ca });
  }

  close(): void {
    this.#agent.destroy();
  }

  /** True once the server answers and has done all that it does at its start. */
  async healthy(): Promise<boolean> {
    try {
      const response = await this.#send('GET', '/readyz');
      return (await text(response)) === 'ok';
    } catch {
      return false;
    }
  }

  /** An answer of any status. */
  async ask<T = Status>(method: string, path: string, body?: object | string, type = 'application/json'): Promise<Answer<T>> {
    const response = await this.#send(method, path, body, type);
    return { status: response.statusCode ?? 0, body: parsed<T>(`${method} ${path}`, await text(response)) };
  }

  /** A body of an answer that must be a success. */
  async call<T>(method: string, path: string, body?: object | string, type?: string): Promise<T> {
    const answer = await this.ask<T>(method, path, body, type);
    assert.ok(answer.status < 300, `${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
    return answer.body;
  }

  get<T>(path: string): Promise<T> {
    return this.call<T>('GET', path);
  }

  patch(path: string, change: object): Promise<Resource> {
    return this.call('PATCH', path, change, 'application/merge-patch+json');
  }

  deployment(namespace: string, name: string): Promise<Deployment> {
    return this.get(`/apis/apps/v1/namespaces/${namespace}/deployments/${name}`);
  }

  async pods(namespace: string): Promise<readonly Pod[]> {
    return (await this.get<List<Pod>>(`/api/v1/namespaces/${namespace}/pods`)).items;
  }

  /**
   * Calls back with every state of a list that the API server goes through, until the callback
   * answers true.
   */
  async watch<T extends Resource>(path: string, seen: (items: readonly T[]) => boolean, signal?: AbortSignal): Promise<void> {
    const { items, metadata } = await this.get<List<T>>(path);
    const now = new Map(items.map((item) => [item.metadata.uid, item]));
    if (seen([...now.values()])) return;
    const response = await this.#send('GET', `${path}?watch=true&resourceVersion=${metadata.resourceVersion}`);
    const lines = createInterface({ input: response });
    // A connection that is cut off has no end, for which the lines would wait.
    response.on('error', () => undefined).once('close', () => lines.close());
    signal?.addEventListener('abort', () => response.destroy());
    if (signal?.aborted === true) response.destroy();
    try {
      for await (const line of lines) {
        const { type, object } = JSON.parse(line) as { type: string; object: T };
        assert.notEqual(type, 'ERROR', line);
        if (type === 'DELETED') now.delete(object.metadata.uid);
        else now.set(object.metadata.uid, object);
        if (seen([...now.values()])) return;
      }
    } finally {
      response.destroy();
    }
    throw new Error(`the watch of ${path} ended before what the test waits for`);
  }

  /** Every kind of object that the API has now, each in its preferred version. */
  async kinds(): Promise<readonly ApiResource[]> {
    const found: ApiResource[] = [];
    for (const root of ['/api', '/apis']) {
      const { items } = await this.#discover(root);
      for (const { metadata, versions } of items)
        for (const { version, resources = [] } of versions) {
          const groupVersion = metadata?.name === undefined ? version : `${metadata.name}/${version}`;
          for (const { resource, responseKind, scope, verbs } of resources) {
            const namespaced = scope === 'Namespaced';
            const path = (namespace: string) => `${root}/${groupVersion}/${namespaced ? `namespaces/${namespace}/` : ''}${resource}`;
            found.push({ path, kind: responseKind.kind, groupVersion, namespaced, verbs });
          }
        }
    }
    return found;
  }

  /** The path of an object that a manifest describes. */
  async pathOf(manifest: Manifest, namespace: string): Promise<string> {
    const kinds = await this.kinds();
    const kind = kinds.find((each) => each.kind === manifest.kind && each.groupVersion === manifest.apiVersion);
    assert.ok(kind !== undefined, `the API server has no ${manifest.apiVersion} ${manifest.kind}`);
    return kind.path(manifest.namespace ?? namespace);
  }

  /** Creates what a manifest describes; fields that its kind does not have are refused. */
  async create<T = Status>(manifest: Manifest, namespace: string): Promise<Answer<T>> {
    return this.ask('POST', `${await this.pathOf(manifest, namespace)}?fieldValidation=Strict`, manifest.yaml, YAML);
  }

  async #discover(path: string): Promise<Discovery> {
    const response = await this.#send('GET', path, undefined, undefined, DISCOVERY);
    return parsed<Discovery>(path, await text(response));
  }

  async #send(method: string, path: string, body?: object | string, type = 'application/json', accept = 'application/json') {
    const { host, port, token } = this.#access;
    const content = typeof body === 'object' ? JSON.stringify(body) : (body ?? '');
    // Node gives no DELETE a length by itself.
    const own = content === '' ? {} : { 'content-type': type, 'content-length': Buffer.byteLength(content) };
    const headers = { authorization: `Bearer ${token}`, accept, ...own };
    const sent = request({ host, port, agent: this.#agent, method, path, headers });
    sent.end(content);
    const [response] = (await once(sent, 'response')) as [IncomingMessage];
    return response;
  }
}

function parsed<T>(asked: string, answer: string): T {
  try {
    return JSON.parse(answer) as T;
  } catch (cause) {
    throw new Error(`${asked}: expected JSON, got ${answer.slice(0, 200)}`, { cause });
  }
}

/** A document of YAML, and what its address needs. */
export interface Manifest {
  readonly yaml: string;
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly namespace?: string;
}

/** The documents of a text of YAML. The API server reads them; this reads only their address. */
export function manifests(yamls: string): readonly Manifest[] {
  return yamls
    .split(/^---.*$/m)
    .filter((yaml) => /^kind:/m.test(yaml))
    .map((yaml) => {
      const field = (pattern: RegExp): string | undefined => pattern.exec(yaml)?.[1]?.replaceAll(/["']/g, '');
      const metadata = /^metadata:(.*(?:\n(?: .*|))*)/m.exec(yaml)?.[1] ?? '';
      const within = (name: string): string | undefined =>
        new RegExp(`(?:^  |[{,]\\s*)${name}: *["']?([^\\s"',}]+)`, 'm').exec(metadata)?.[1];
      const namespace = within('namespace');
      return {
        yaml,
        apiVersion: field(/^apiVersion: *(\S+)/m) ?? '',
        kind: field(/^kind: *(\S+)/m) ?? '',
        name: within('name') ?? '',
        ...(namespace === undefined ? {} : { namespace }),
      };
    });
}
