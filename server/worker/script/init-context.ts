import { basename, dirname, isAbsolute, join } from 'node:path';
import { findModels, onlyModel } from '../../config/find-models.ts';
import { othersLike } from '../../config/suggestions.ts';
import type { InitContext, Logger, Model, ScriptMetrics } from '../../entry-script.ts';
import { ServerError } from '../../errors.ts';
import type { Execution } from '../../config/execution-provider.ts';
import type { InferenceObserver, OpenedModel } from '../../inference/model.ts';
import { openSession } from '../../inference/session.ts';
import { fileDenial, folderDenial, isFile, isFolder, visibleNames } from '../../system/folders.ts';
import type { Trying } from '../trying.ts';

interface InitSurroundings {
  readonly entryScript: string;
  readonly modelDir: string | undefined;
  readonly modelFile: string | undefined;
  readonly intraOpThreads: number;
  readonly execution: Execution;
  readonly sharedSizes: 'check' | 'ignore';
  /** Called when the execution provider can run no inference in this process any more. */
  readonly lost: (problem: string) => void;
  readonly log: Logger;
  readonly metrics: ScriptMetrics;
  readonly signal: AbortSignal;
  /** Runs models on made-up inputs; absent: none may be made up. */
  readonly trying?: Trying | undefined;
}

/** Makes the last decisions on a model. */
interface Settle {
  /** It was opened before the worker was ready. */
  readonly opened: (model: OpenedModel) => Promise<void>;
  /** It was opened later, when requests wait for this process. */
  readonly late: (model: OpenedModel) => Promise<void>;
}

/** The context of `init()`. Keeps the models that were opened before the worker was ready. */
export class WorkerInitContext {
  /** What the script gets: each member works by itself. */
  readonly forScript: InitContext;
  readonly opened: OpenedModel[] = [];
  readonly #around: InitSurroundings;
  #observer: InferenceObserver | undefined;
  #remembers = false;
  #settle: Settle | undefined;

  constructor(around: InitSurroundings) {
    this.#around = around;
    const { modelDir, log, metrics, signal } = around;
    this.forScript = {
      modelDir,
      openModel: (path) => this.#openModel(path),
      modelPath: (name, version) => this.#modelPath(name, version),
      log,
      metrics,
      signal,
    };
  }

  async #openModel(path?: string): Promise<Model> {
    const file = path === undefined ? this.#onlyModel() : this.#locate(path);
    const { intraOpThreads, execution, lost, sharedSizes } = this.#around;
    const trying = this.#settle === undefined ? this.#around.trying : undefined;
    const model = await openSession(file, { intraOpThreads, execution, lost, trying });
    if (execution.provider !== 'cpu') this.#logPlacement(model, execution);
    model.sharedSizes.enabled = sharedSizes === 'check';
    model.remember(this.#remembers);
    // A script may keep the context and open a model during a request.
    if (this.#settle === undefined) this.opened.push(model);
    else await this.#settle.late(model);
    if (this.#observer !== undefined) model.observe(this.#observer);
    return model.forScript;
  }

  #logPlacement({ name, about }: OpenedModel, { provider }: Execution): void {
    const { placement } = about;
    const fields = { model: name, provider: about.provider, ...placement };
    if (placement === undefined)
      this.#around.log.info(
        `model ${name}: opened for ${provider}; its nodes on that provider are unknown (it ran on no made-up input)`,
        fields,
      );
    else {
      const rest = placement.elsewhere === 0 ? '' : `, ${placement.elsewhere} elsewhere (${placement.operators.join(', ')})`;
      const level = placement.onProvider === 0 ? 'warn' : 'info';
      this.#around.log[level](`model ${name}: ${placement.onProvider} nodes run on ${provider}${rest}`, fields);
    }
  }

  /** Observes the inferences of the open models and of later ones. */
  observe(observer: InferenceObserver): void {
    this.#observer = observer;
    for (const model of this.opened) model.observe(observer);
  }

  /** Makes models keep their inputs, or stop keeping them: the open ones and later ones. */
  remember(on: boolean): void {
    this.#remembers = on;
    for (const model of this.opened) model.remember(on);
  }

  /** Settles the models that are open, and from then on each as it is opened. */
  async settle(settle: Settle): Promise<void> {
    for (const model of this.opened) await settle.opened(model);
    // No await between the last look and this: no model slips through.
    this.#settle = settle;
  }

  #modelPath(name: string, version?: string | number): string {
    const { modelDir } = this.#around;
    if (modelDir === undefined)
      throw new ServerError(
        'model_missing',
        `modelPath(${JSON.stringify(name)}): AZUREML_MODEL_DIR is not set, so there is no directory of models.`,
      );
    // With one model, AZUREML_MODEL_DIR is its version's folder; with several, the folder above the
    // names (docs/models.md).
    const folder = basename(dirname(modelDir)) === name ? dirname(modelDir) : join(modelDir, name);
    const versions = visibleNames(folder).filter((entry) => isFolder(join(folder, entry)));
    const wanted = version === undefined ? highest(versions) : String(version);
    const denied = folderDenial(folder, 'list') ?? (wanted === undefined ? undefined : folderDenial(join(folder, wanted), 'list'));
    if (denied !== undefined) throw new ServerError('model_missing', `modelPath(${JSON.stringify(name)}): ${denied}.`);
    if (wanted === undefined || !versions.includes(wanted)) {
      const there = versions.length === 0 ? 'there is no such folder, or it is empty' : `the versions there are ${versions.join(', ')}`;
      throw new ServerError(
        'model_missing',
        `modelPath(${JSON.stringify(name)}${version === undefined ? '' : `, ${version}`}): expected ${join(folder, wanted ?? '<version>')}; ${there}.`,
      );
    }
    const found = join(folder, wanted);
    const inside = visibleNames(found).filter((entry) => folderDenial(join(found, entry), 'list') === undefined);
    return join(found, ...(inside.length === 1 ? inside : []));
  }

  /**
   * Folders in which relative paths are looked up, first the model directory, then the script's
   * own.
   */
  get #folders(): string[] {
    const { modelDir, entryScript } = this.#around;
    const script = dirname(entryScript);
    if (modelDir === undefined) return [script];
    return [isFile(modelDir) ? dirname(modelDir) : modelDir, script];
  }

  #locate(path: string): string {
    const candidates = isAbsolute(path) ? [path] : this.#folders.map((folder) => join(folder, path));
    const file = candidates.find(isFile);
    if (file === undefined) {
      const denied = candidates.map(fileDenial).find((reason) => reason !== undefined);
      throw new ServerError(
        'model_missing',
        `openModel(${JSON.stringify(path)}): there is no such file; looked at ${candidates.join(' and ')}.${
          denied === undefined ? othersLike(candidates, (other) => other.endsWith('.onnx')) : ` ${denied}.`
        }`,
      );
    }
    return file;
  }

  #onlyModel(): string {
    const { modelDir, modelFile, entryScript } = this.#around;
    if (modelFile !== undefined) return modelFile;
    if (modelDir !== undefined && findModels(modelDir, '').length > 0) return onlyModel(modelDir, 'AZUREML_MODEL_DIR');
    return onlyModel(dirname(entryScript), "the entry script's folder");
  }
}

/** The highest number. Names that are no numbers sort before all numbers, by the alphabet. */
function highest(versions: readonly string[]): string | undefined {
  return versions.toSorted((a, b) => (Number(a) || 0) - (Number(b) || 0) || (a < b ? -1 : 1)).at(-1);
}
