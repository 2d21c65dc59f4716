import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';

type Variables = Readonly<Record<string, string>>;

interface Planted {
  readonly value: string;
  /** The part that nothing else contains. */
  readonly mark: string;
  /** Variables of a test that would make the value count, or that the value would change. */
  readonly unless: RegExp;
}

/** Secrets in the environment of each server that tests start. None switches anything on. */
const PLANTED: Readonly<Record<string, Planted>> = {
  AML_MODEL_DC_STORAGE: {
    value: 'DefaultEndpointsProtocol=https;AccountName=planted;AccountKey=Pl4ntedMark0;EndpointSuffix=core.windows.net',
    mark: 'Pl4ntedMark0',
    unless: /^AML_(?:MODEL_DC|MDC)_/,
  },
  AML_APP_INSIGHTS_KEY: { value: '91a47ed0-5ec2-4e70-9000-0123456789ab', mark: '91a47ed0-5ec2', unless: /INSIGHTS_/ },
  OTEL_EXPORTER_OTLP_HEADERS: { value: 'x-planted=Pl4ntedMark1', mark: 'Pl4ntedMark1', unless: /^OTEL_/ },
  MDC_HTTP_HEADERS: { value: 'x-planted=Pl4ntedMark2', mark: 'Pl4ntedMark2', unless: /^MDC_/ },
};

/** The planted secrets of one server, and where they came up. */
export class PlantedSecrets {
  readonly variables: Variables;
  readonly #kept: readonly string[];
  readonly #found: string[] = [];

  /** @param own variables of the test, which come first */
  constructor(own: Variables) {
    const names = Object.keys(own);
    const planted = Object.entries(PLANTED).filter(([, { unless }]) => !names.some((name) => unless.test(name)));
    this.variables = Object.fromEntries(planted.map(([name, { value }]) => [name, value]));
    this.#kept = (own['WORKER_SECRETS'] ?? '').split(',').map((name) => name.trim());
  }

  /** Notes the secrets that a text shows. */
  look(where: string, text: string): void {
    for (const name of Object.keys(this.variables))
      if (text.includes(PLANTED[name]?.mark ?? name)) this.#found.push(`${where} shows ${name}`);
  }

  /** Notes the secrets that a worker has in its environment; none if it has ended. */
  lookAtWorker(pid: number): void {
    try {
      const environment = readFileSync(`/proc/${pid}/environ`, 'latin1').split('\0');
      this.look(
        'the environment of a worker',
        environment.filter((line) => !this.#kept.some((name) => line.startsWith(`${name}=`))).join('\n'),
      );
    } catch {
      // No /proc, or no such process any more.
    }
  }

  assertHidden(): void {
    assert.deepEqual([...new Set(this.#found)], []);
  }
}
