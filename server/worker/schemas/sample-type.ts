import type { SampleType } from '../../entry-script.ts';
import type { Described } from './described.ts';

/** What the constructors of types make. */
export class DeclaredType implements SampleType {
  readonly optional: boolean;
  readonly described: Described;

  constructor(described: Described, optional = false) {
    this.described = described;
    this.optional = optional;
  }
}
