/** What the graph says about the rows of a batch: the first axis of every input and output. */
export interface GraphVerdict {
  /** `mixed`: rows meet, or may meet. `unknown`: the graph cannot tell. */
  readonly rows: 'row-wise' | 'mixed' | 'unknown';
  readonly reason: string;
  /** The first node that decides: its operator and name. */
  readonly node?: string;
}
