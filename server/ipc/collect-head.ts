/** What is said of rows that a script collected: the head of a `collect` frame, and of its record. */
export interface CollectHead {
  readonly id: string;
  /** Milliseconds since 1970. */
  readonly time: number;
  /** Extra attributes. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly modelVersion?: string;
  /** Name of the CSV file of rows of the v1 API, which carry their correlation columns. */
  readonly v1?: string;
}
