/** The correlation columns of v1, as Azure's SDK names them: docs/data-collection.md. */
export const CSV_COLUMNS = [
  '$aml_dc_correlation_id',
  '$aml_dc_scoring_timestamp',
  '$aml_dc_boundary',
  '$aml_workspace',
  '$aml_service_name',
  '$aml_model_name',
  '$aml_model_version',
  '$aml_request_id',
] as const;

// As Python's csv.writer writes lines: CRLF, and quotes only where a cell needs them.
export const csvHeader = (row: Readonly<Record<string, unknown>>): string => line(Object.keys(row));
export const csvRow = (row: Readonly<Record<string, unknown>>): string => line(Object.values(row));

/**
 * A reviver for JSON.parse: numbers with a fraction or an exponent, and whole ones beyond 2^53,
 * become the text that Python writes for them. JSON.parse alone would make 1 of 1.0.
 */
export function numbersAsPythonWrites(_key: string, value: unknown, context?: { readonly source?: string }): unknown {
  const source = context?.source;
  if (typeof value !== 'number' || source === undefined) return value;
  if (/[.eE]/.test(source)) return pythonFloat(value);
  return Number.isSafeInteger(value) ? value : source;
}

/** As Python's `repr`: the shortest digits, and an exponent below 1e-4 and from 1e16 on. */
export function pythonFloat(value: number): string {
  if (value === 0) return Object.is(value, -0) ? '-0.0' : '0.0';
  const [digits = '', exponent = ''] = value.toExponential().split('e');
  const power = Number(exponent);
  if (power < -4 || power >= 16) return `${digits}e${power < 0 ? '-' : '+'}${String(Math.abs(power)).padStart(2, '0')}`;
  return Number.isInteger(value) ? `${value}.0` : String(value);
}

function line(values: readonly unknown[]): string {
  return `${values.map(cell).join(',')}\r\n`;
}

function cell(value: unknown): string {
  if (value === null || value === undefined) return '';
  const text = typeof value === 'string' ? value : typeof value === 'boolean' ? (value ? 'True' : 'False') : (JSON.stringify(value) ?? '');
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
