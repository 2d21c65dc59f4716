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

/** Rules of operators that are alike, of one domain. */
export interface Family {
  /** As models name it; '' is the default domain. */
  readonly domain: string;
  readonly title: string;
  readonly rules: Readonly<Record<string, Rule>>;
}

const family = (domain: string, title: string, rules: Family['rules']): Family => ({ domain, title, rules });

/** All rules. server/inference/README.md lists them. */
export const families: readonly Family[] = [
  family('', 'entry by entry', elementwise),
  family('', 'shapes', reshaping),
  family('', 'entries that move', moving),
  family('', 'reductions, order', reductions),
  family('', 'selections, random numbers', selecting),
  family('', 'scattered entries', scattering),
  family('', 'products', products),
  family('', 'normalisations', { ...normalisations, ...transformersOfDefault }),
  family('', 'recurrent layers', recurrences),
  family('', 'attention', attentions),
  family('', 'convolutions, pools', convolutions),
  family('', 'images', images),
  family('', 'quantised', quantised),
  family('', 'signals', signals),
  family('', 'sequences', sequences),
  family('', 'texts', texts),
  family('ai.onnx.ml', 'classical models', traditional),
  family('com.microsoft', 'fused layers', microsoft),
  family('com.microsoft', 'quantised', microsoftQuantised),
  family('com.microsoft', 'transformers', transformers),
  family('com.microsoft', 'texts', microsoftTexts),
  family('com.microsoft.nchwc', 'blocked layouts', microsoftBlocked),
];

const byDomain: ReadonlyMap<string, ReadonlyMap<string, Rule>> = new Map(
  Object.entries(Object.groupBy(families, ({ domain }) => domain)).map(([domain, members = []]) => [domain, rulesOf(members)]),
);

function rulesOf(members: readonly Family[]): ReadonlyMap<string, Rule> {
  return new Map(members.flatMap(({ rules }) => Object.entries(followingPlaces(followingFloats(rules)))));
}

/** The rule of an operator, or undefined if there is none. */
export const ruleOf = (domain: string, operator: string): Rule | undefined => byDomain.get(domain)?.get(operator);
