/** What the graph says about the rows of a batch (first dimension of every input and output). */
export interface GraphVerdict {
  readonly rows: 'row-wise' | 'mixed' | 'unknown';
  readonly reason: string;
  /** The first node that decides. */
  readonly node?: string;
}
