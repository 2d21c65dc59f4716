import type { Rule } from './call.ts';
import { attentions } from './attention.ts';
import { elementwise } from './elementwise.ts';
import { normalisations } from './normalisations.ts';
import { products } from './products.ts';
import { recurrences } from './recurrent.ts';
import { reductions } from './reductions.ts';
import { scattering } from './scattering.ts';
import { selecting } from './selecting.ts';

/** Rules by operator of one domain. */
export type Rules = Readonly<Record<string, Rule>>;

/** Domain, as a model names it, to its rules. The default domain has two names. */
const domains: Readonly<Record<string, Rules>> = {
  '': { ...elementwise, ...reductions, ...normalisations, ...products, ...recurrences, ...attentions, ...selecting, ...scattering },
};

/** The rule of an operator, or undefined if there is none. */
export function ruleOf(domain: string, operator: string): Rule | undefined {
  const rules = domains[domain === 'ai.onnx' ? '' : domain];
  return rules !== undefined && Object.hasOwn(rules, operator) ? rules[operator] : undefined;
}
