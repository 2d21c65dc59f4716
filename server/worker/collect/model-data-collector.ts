import { randomUUID } from 'node:crypto';
import { describeThrown } from '../../guards/thrown.ts';
import { toRows, type Collectable } from './collect-rows.ts';
import { installedPort } from './collection-port.ts';
import { Columns, columnTypes, type CollectedRow, type ColumnTypes } from './columns.ts';

const DESIGNATIONS = ['inputs', 'predictions', 'labels', 'signals', 'general'] as const;
type Designation = (typeof DESIGNATIONS)[number];

/** The columns of v1, exactly: docs/data-collection.md. */
export interface Correlations {
  readonly $aml_dc_correlation_id: string;
  /** UTC, with microseconds and without a Z. */
  readonly $aml_dc_scoring_timestamp: string;
  /** Minutes of a partition. */
  readonly $aml_dc_boundary: number;
  readonly $aml_workspace: string;
  readonly $aml_service_name: string;
  readonly $aml_model_name: string;
  readonly $aml_model_version: string;
  readonly $aml_request_id: string;
}

export interface ModelDataCollectorOptions {
  readonly designation?: Designation | 'default';
  readonly featureNames?: readonly string[];
  /** Types of columns by name, as for `Collector`. */
  readonly types?: ColumnTypes;
  readonly workspace?: string;
  readonly webserviceName?: string;
  readonly modelVersion?: string;
  readonly collectionName?: string;
}

/** Why: names of columns may be made from data. */
const MOST_TYPES = 10_000;
const DAY_MINUTES = 1440;
const NO_REQUEST = '00000000-0000-0000-0000-000000000000';

/**
 * The collector of v1: rows go into CSV files. New scripts use `Collector`. Never throws into
 * scoring.
 */
export class ModelDataCollector {
  readonly #model: string;
  readonly #designation: Designation;
  readonly #options: ModelDataCollectorOptions;
  readonly #wrong: Error | undefined;
  /** Types that `addCorrelations` has seen in arrays and tensors, which its rows do not show. */
  #types: ColumnTypes;

  constructor(modelName: string, options: ModelDataCollectorOptions = {}) {
    const { designation = 'default' } = options;
    this.#model = modelName;
    this.#designation = designation === 'default' ? 'general' : designation;
    this.#options = options;
    this.#types = columnTypes(options.types);
    // Both work by themselves: `const { collect } = new ModelDataCollector(...)`.
    this.collect = this.collect.bind(this);
    this.addCorrelations = this.addCorrelations.bind(this);
    if (!DESIGNATIONS.includes(this.#designation)) {
      this.#wrong = new Error(`ModelDataCollector: expected one of ${DESIGNATIONS.join(', ')} as designation, got ${designation}`);
      installedPort()?.failed('unknown', this.#wrong);
    }
  }

  /**
   * Hands rows over and returns at once. Rows with correlation columns keep them.
   * @returns correlations of `inputs`, for their predictions:
   * `predictions.collect(predictions.addCorrelations(rows, correlations))`
   */
  collect(data: Collectable, userCorrelationId = ''): Correlations | undefined {
    const port = installedPort();
    const correlations = this.#correlations(userCorrelationId);
    const answer = this.#designation === 'inputs' ? correlations : undefined;
    if (port === undefined || this.#wrong !== undefined) return answer;
    const sampledBy = port.requestId ?? correlations.$aml_dc_correlation_id;
    if (!port.keeps(this.#designation, sampledBy)) return answer;
    try {
      const rows = this.#rows(data, port.columns(this.#designation)).map((row) =>
        '$aml_dc_correlation_id' in row ? row : { ...row, ...correlations },
      );
      if (rows.length === 0) return answer;
      const id = String(rows[0]?.['$aml_dc_correlation_id'] ?? correlations.$aml_dc_correlation_id);
      const fixed = ['inputs', 'predictions', 'labels'].includes(this.#designation);
      const name = fixed ? this.#designation : (this.#options.collectionName ?? 'default');
      port.send(this.#designation, { id, time: Date.now(), modelVersion: correlations.$aml_model_version, v1: name }, rows);
    } catch (thrown) {
      this.#failed(thrown);
    }
    return answer;
  }

  /**
   * The rows with the eight correlation columns; none where the data does not fit, which is logged
   * and counted.
   */
  addCorrelations(data: Collectable, correlations: Correlations | undefined): (CollectedRow | (CollectedRow & Correlations))[] {
    try {
      const columns = new Columns();
      const rows = this.#rows(data, columns).map((row) => ({ ...row, ...correlations }));
      if (Object.keys(this.#types).length < MOST_TYPES) this.#types = { ...columns.types, ...this.#types };
      return rows;
    } catch (thrown) {
      this.#failed(thrown);
      return [];
    }
  }

  #failed(thrown: unknown): void {
    installedPort()?.failed(this.#designation, thrown instanceof Error ? thrown : new TypeError(describeThrown(thrown)));
  }

  /** One array of numbers is one row. */
  #rows(data: Collectable, columns: Columns): CollectedRow[] {
    const { featureNames } = this.#options;
    const single = (Array.isArray(data) && data.length > 0 && typeof data[0] !== 'object') || ArrayBuffer.isView(data);
    return toRows(single ? [data] : data, { featureNames, types: this.#types }, columns);
  }

  #correlations(userCorrelationId: string): Correlations {
    const { workspace, webserviceName, modelVersion = 'default' } = this.#options;
    const port = installedPort();
    const uuid = randomUUID();
    const known = port?.identity.modelVersions[this.#model];
    return {
      $aml_dc_correlation_id: userCorrelationId === '' ? uuid : `${userCorrelationId}-${uuid}`,
      $aml_dc_scoring_timestamp: `${new Date().toISOString().slice(0, -1)}000`,
      $aml_dc_boundary: DAY_MINUTES,
      $aml_workspace: workspace ?? port?.identity.workspace ?? 'default/default/default',
      $aml_service_name: webserviceName ?? port?.identity.endpoint ?? 'default',
      $aml_model_name: this.#model,
      $aml_model_version: modelVersion === 'default' ? (known ?? modelVersion) : modelVersion,
      $aml_request_id: port?.requestId ?? NO_REQUEST,
    };
  }
}
