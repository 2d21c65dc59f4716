import { spawn, spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { TestContext } from 'node:test';
import { folder } from '../set-up/folder.ts';
import { reaped } from '../set-up/reaper.ts';
import { until } from '../set-up/until.ts';

/** Debian's package `prometheus` has both programs; `.ci/run` installs it. */
export const missing = spawnSync('prometheus', ['--version']).error !== undefined && 'prometheus is not installed';

interface Result {
  readonly result: readonly { readonly metric: Record<string, string>; readonly value: [at: number, value: string] }[];
}

interface Rule {
  readonly name: string;
  readonly query: string;
  /** `unknown` before its first evaluation. */
  readonly health: 'ok' | 'err' | 'unknown';
  readonly lastError?: string;
  /** Of an alert. */
  readonly state?: 'inactive' | 'pending' | 'firing';
}

/** A real Prometheus that scrapes one server each second. */
export class Prometheus {
  readonly #url: string;

  private constructor(url: string) {
    this.#url = url;
  }

  /** Ends after the test. @param target host and port of the server @param rules files of rules */
  static async start(t: TestContext, target: string, rules: readonly string[] = []): Promise<Prometheus> {
    const home = folder();
    const config = join(home, 'prometheus.json');
    const global = { scrape_interval: '1s', evaluation_interval: '1s' };
    const scraped = [{ job_name: 'server', static_configs: [{ targets: [target] }] }];
    writeFileSync(config, JSON.stringify({ global, rule_files: rules, scrape_configs: scraped }));
    const args = [`--config.file=${config}`, `--storage.tsdb.path=${join(home, 'data')}`, '--web.listen-address=127.0.0.1:0'];
    const child = reaped(spawn('prometheus', args, { stdio: ['ignore', 'ignore', 'pipe'] }));
    const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    t.after(() => {
      child.kill('SIGKILL');
      return ended;
    });
    let address: string | undefined;
    let said = '';
    // To its end: else it would wait for its reader.
    for await (const line of createInterface({ input: child.stderr })) {
      said += `${line}\n`;
      address ??= /msg="Listening on" address=(\S+)/.exec(line)?.[1];
      if (address !== undefined && line.includes('ready to receive web requests')) break;
    }
    child.stderr.resume();
    if (address === undefined) throw new Error(`prometheus did not start:\n${said}`);
    return new Prometheus(`http://${address}`);
  }

  /** The values of an instant query. @throws Error when Prometheus refuses the query */
  async query(expression: string): Promise<number[]> {
    const { result } = await this.#get<Result>(`query?query=${encodeURIComponent(expression)}`);
    return result.map(({ value }) => Number(value[1]));
  }

  async rules(): Promise<readonly Rule[]> {
    const { groups } = await this.#get<{ readonly groups: readonly { readonly rules: readonly Rule[] }[] }>('rules');
    return groups.flatMap(({ rules }) => rules);
  }

  async #get<T>(path: string): Promise<T> {
    const answer = await fetch(`${this.#url}/api/v1/${path}`);
    const { status, error, data } = (await answer.json()) as { readonly status: string; readonly error?: string; readonly data: T };
    if (status !== 'success') throw new Error(`${path}: ${error}`);
    return data;
  }

  /** Resolves once the query has a result. */
  async holds(expression: string): Promise<void> {
    await until(async () => (await this.query(expression)).length > 0);
  }
}
