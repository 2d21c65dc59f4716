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

function line(values: readonly unknown[]): string {
  return `${values.map(cell).join(',')}\r\n`;
}

function cell(value: unknown): string {
  if (value === null || value === undefined) return '';
  const text = typeof value === 'string' ? value : typeof value === 'boolean' ? (value ? 'True' : 'False') : (JSON.stringify(value) ?? '');
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
