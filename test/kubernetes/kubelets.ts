import { setTimeout as delay } from 'node:timers/promises';
import type { Api } from './api.ts';
import type { Pod } from './objects.ts';

/** Bounds of the time until a pod is ready, in milliseconds: pods become ready one by one. */
const [SOONEST_MS, LATEST_MS] = [300, 1200];
const RUN_OF_JOB_MS = 300;
const STOP_MS = 100;

const STRATEGIC = 'application/strategic-merge-patch+json';

/**
 * Stands in for the kubelets of all nodes: a pod that the scheduler gives a node becomes ready, one
 * of a Job ends well, and one that is deleted goes. No container runs.
 */
export class Kubelets {
  readonly #api: Api;
  readonly #end = new AbortController();
  readonly #watch: Promise<void>;
  readonly #tasks = new Set<Promise<void>>();
  /** Pods by uid, with the last thing that was begun for each. */
  readonly #begun = new Map<string, 'run' | 'stop'>();
  #addresses = 0;

  constructor(api: Api) {
    this.#api = api;
    this.#watch = api
      .watch<Pod>('/api/v1/pods', (pods) => this.#see(pods), this.#end.signal)
      .catch((error: unknown) => {
        if (!this.#end.signal.aborted) throw error;
      });
  }

  async stop(): Promise<void> {
    this.#end.abort();
    await this.#watch;
    await Promise.allSettled(this.#tasks);
  }

  #see(pods: readonly Pod[]): false {
    for (const pod of pods) {
      const { metadata, spec } = pod;
      if (spec.nodeName === undefined) continue;
      const begun = this.#begun.get(metadata.uid);
      if (metadata.deletionTimestamp !== undefined && begun !== 'stop') this.#begin(pod, 'stop');
      else if (metadata.deletionTimestamp === undefined && begun === undefined) this.#begin(pod, 'run');
    }
    return false;
  }

  #begin(pod: Pod, what: 'run' | 'stop'): void {
    this.#begun.set(pod.metadata.uid, what);
    const task = what === 'run' ? this.#run(pod) : this.#stop(pod);
    // The end of the cluster cuts off what is under way.
    const settled = task.catch((error: unknown) => {
      if (!this.#end.signal.aborted) throw error;
    });
    this.#tasks.add(settled);
    void settled.finally(() => this.#tasks.delete(settled));
  }

  async #run(pod: Pod): Promise<void> {
    const { signal } = this.#end;
    await delay(SOONEST_MS + Math.random() * (LATEST_MS - SOONEST_MS), undefined, { signal });
    const startedAt = new Date().toISOString();
    await this.#report(pod, 'Running', { running: { startedAt } }, `10.1.${this.#addresses >> 8}.${this.#addresses++ & 255}`);
    if (pod.metadata.ownerReferences?.[0]?.kind !== 'Job') return;
    await delay(RUN_OF_JOB_MS, undefined, { signal });
    const finishedAt = new Date().toISOString();
    await this.#report(pod, 'Succeeded', { terminated: { exitCode: 0, reason: 'Completed', startedAt, finishedAt } });
  }

  async #stop({ metadata: { name, namespace } }: Pod): Promise<void> {
    await delay(STOP_MS, undefined, { signal: this.#end.signal });
    await this.#api.ask('DELETE', `/api/v1/namespaces/${namespace}/pods/${name}`, { gracePeriodSeconds: 0 });
  }

  /** A pod that has gone meanwhile has no status to report. */
  async #report({ metadata, spec }: Pod, phase: string, state: object, podIP?: string): Promise<void> {
    const ready = phase === 'Running';
    const types = ['Initialized', 'ContainersReady', 'Ready'];
    const lastTransitionTime = new Date().toISOString();
    const conditions = types.map((type) => ({ type, status: ready || type === 'Initialized' ? 'True' : 'False', lastTransitionTime }));
    const containerStatuses = spec.containers.map(({ name, image }) => ({ name, image, imageID: '', ready, restartCount: 0, state }));
    const address = podIP === undefined ? {} : { podIP, podIPs: [{ ip: podIP }] };
    const path = `/api/v1/namespaces/${metadata.namespace}/pods/${metadata.name}/status`;
    await this.#api.ask('PATCH', path, { status: { phase, conditions, containerStatuses, ...address } }, STRATEGIC);
  }
}
