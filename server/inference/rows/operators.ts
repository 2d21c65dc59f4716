import { attentions } from './attention.ts';
import type { Rule } from './call.ts';
import { convolutions } from './convolutions.ts';
import { elementwise } from './elementwise.ts';
import { traditional } from './ml.ts';
import { followingFloats } from './floats.ts';
import { images } from './images.ts';
import { microsoftQuantised } from './microsoft-quantised.ts';
import { transformers, transformersOfDefault } from './microsoft-transformers.ts';
import { microsoft, microsoftBlocked } from './microsoft.ts';
import { moving } from './movement.ts';
import { normalisations } from './normalisations.ts';
import { followingPlaces } from './places.ts';
import { products } from './products.ts';
import { quantised } from './quantised.ts';
import { recurrences } from './recurrent.ts';
import { reductions } from './reductions.ts';
import { reshaping } from './reshape.ts';
import { scattering } from './scattering.ts';
import { selecting } from './selecting.ts';
import { sequences } from './sequences.ts';
import { signals } from './signals.ts';
import { microsoftTexts, texts } from './text.ts';

/** Rules by operator of one domain. */
type Rules = Readonly<Record<string, Rule>>;

/** Domain, as a model names it, to its rules. The default domain is ''. */
export const domains: Readonly<Record<string, Rules>> = {
  '': followingPlaces(
    followingFloats({
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
      ...transformersOfDefault,
      ...convolutions,
      ...images,
      ...quantised,
      ...signals,
      ...sequences,
      ...texts,
    }),
  ),
  'ai.onnx.ml': traditional,
  'com.microsoft': { ...microsoft, ...microsoftQuantised, ...transformers, ...microsoftTexts },
  'com.microsoft.nchwc': microsoftBlocked,
};

/** The rule of an operator, or undefined if there is none. */
export function ruleOf(domain: string, operator: string): Rule | undefined {
  const rules = Object.hasOwn(domains, domain) ? domains[domain] : undefined;
  return rules !== undefined && Object.hasOwn(rules, operator) ? rules[operator] : undefined;
}
