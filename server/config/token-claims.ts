import { isPercentEncoded, list, type Parser } from './option-values.ts';

/** A claim that tokens must have, with one of some values. */
export interface ClaimRule {
  readonly name: string;
  readonly values: readonly string[];
}

/** `name=value,name=value`, both percent-encoded. Values of one name are alternatives. */
export const claimRules: Parser<readonly ClaimRule[]> = (value) => {
  const rules = new Map<string, string[]>();
  for (const pair of list(value)) {
    const [, name = '', text = ''] = /^([^=]+)=([^=]+)$/.exec(pair) ?? [];
    if (text === '' || !isPercentEncoded(pair))
      throw new Error('expected name=value,name=value, with % , = and other special characters percent-encoded');
    const key = decodeURIComponent(name.trim());
    rules.set(key, [...(rules.get(key) ?? []), decodeURIComponent(text.trim())]);
  }
  return Array.from(rules, ([name, values]) => ({ name, values }));
};
