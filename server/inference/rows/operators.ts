import { attentions } from './attention.ts';
import type { Rule } from './call.ts';
import { elementwise } from './elementwise.ts';
import { microsoft } from './microsoft.ts';
import { microsoftQuantised } from './microsoft-quantised.ts';
import { microsoftTransformers } from './microsoft-transformers.ts';
import { traditional } from './ml.ts';
import { moving } from './movement.ts';
import { normalisations } from './normalisations.ts';
import { followingPlaces } from './places.ts';
import { products } from './products.ts';
import { recurrences } from './recurrent.ts';
import { reductions } from './reductions.ts';
import { reshaping } from './reshape.ts';
import { scattering } from './scattering.ts';
import { selecting } from './selecting.ts';
import { sequences } from './sequences.ts';
import { microsoftTexts, texts } from './text.ts';

/** Rules by operator of one domain. */
type Rules = Readonly<Record<string, Rule>>;

/** Domain, as a model names it, to its rules. The default domain is ''. */
export const domains: Readonly<Record<string, Rules>> = {
  '': followingPlaces({
    ...elementwise,
    ...moving,
    ...reshaping,
    ...reductions,
    ...selecting,
    ...scattering,
    ...products,
    ...normalisations,
    ...recurrences,
    ...attentions,
    ...sequences,
    ...texts,
  }),
  'ai.onnx.ml': traditional,
  'com.microsoft': { ...microsoft, ...microsoftQuantised, ...microsoftTransformers, ...microsoftTexts },
};

/** The rule of an operator, or undefined if there is none. */
export function ruleOf(domain: string, operator: string): Rule | undefined {
  const rules = Object.hasOwn(domains, domain) ? domains[domain] : undefined;
  return rules !== undefined && Object.hasOwn(rules, operator) ? rules[operator] : undefined;
}
