/** When a traced run was, and its inferences; milliseconds since 1970. */
export interface RunTimes {
  readonly at: number;
  readonly ms: number;
  readonly inferences: readonly InferenceTimes[];
}

export interface InferenceTimes {
  readonly model: string;
  readonly at: number;
  readonly ms: number;
  /** Of the whole inference, which may have served other requests too. */
  readonly rows: number;
}
