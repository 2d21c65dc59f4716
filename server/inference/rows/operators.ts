import type { Rule } from './call.ts';
import { elementwise } from './elementwise.ts';
import { traditional } from './ml.ts';
import { sequences } from './sequences.ts';
import { microsoftTexts, texts } from './text.ts';

/** Rules by operator of one domain. */
export type Rules = Readonly<Record<string, Rule>>;

/** Domain, as a model names it, to its rules. The default domain has two names. */
const domains: Readonly<Record<string, Rules>> = {
  '': { ...elementwise, ...sequences, ...texts },
  'ai.onnx.ml': traditional,
  'com.microsoft': microsoftTexts,
};

/** The rule of an operator, or undefined if there is none. */
export function ruleOf(domain: string, operator: string): Rule | undefined {
  const rules = domains[domain === 'ai.onnx' ? '' : domain];
  return rules !== undefined && Object.hasOwn(rules, operator) ? rules[operator] : undefined;
}
