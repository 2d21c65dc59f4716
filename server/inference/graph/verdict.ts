/** What the graph of a model says about the rows of a batch. */
export interface GraphVerdict {
  readonly rows: 'row-wise' | 'mixed' | 'unknown';
  readonly reason: string;
  /** The first node that mixes rows, or whose effect is not known. */
  readonly node?: string;
}
