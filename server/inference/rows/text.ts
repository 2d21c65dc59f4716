import { type Call, type Rule } from './call.ts';
import { eachEntry, entrywise } from './elementwise.ts';
import { number, type Size } from './size.ts';
import { beside, tableOf } from './table.ts';
import { CONSTANT, constant, mixed, shaped, unknown } from './value.ts';

/** Changes case, and drops stop words. It takes [words] or [1, words]. */
const normalize: Rule = (call) => {
  const { dims, row } = call.tensor(0);
  const across = row?.axis ?? dims.findIndex((size) => size.rows);
  const drops = (call.attributes.count('stopwords') ?? 0) > 0;
  if (across >= 0 && drops) throw mixed('it drops words, so that another number of rows comes out');
  if (across === 0 && dims.length > 1) throw mixed('it takes one row only');
  if (row === undefined) return drops ? CONSTANT : constant(dims);
  return shaped(dims, row);
};

/** The first output pads each text to the most parts of any. The second one counts parts. */
const split: Rule = (call) => {
  const { dims, row } = call.settled(0);
  const padded = row === undefined ? CONSTANT : mixed('it pads each text to the most parts of any row');
  return [padded, { dims, row }];
};

/** Counts n-grams: [words] gives [n-grams], and [rows, words] gives [rows, n-grams]. */
const countGrams: Rule = (call) => {
  const grams = columns(call);
  const { dims, row, height } = tableOf(call);
  return dims.length === 1 ? constant([grams]) : beside({ height, row }, grams);
};

/** The greatest column that an n-gram counts for decides. */
function columns(call: Call): Size {
  const indexes = call.attributes.ints('ngram_indexes') ?? [];
  if (indexes.length === 0) throw unknown('its attributes do not say how many columns it has');
  return number(indexes.reduce((most, index) => Math.max(most, index), 0) + 1);
}

/** Operators of the default domain on texts. */
export const texts: Readonly<Record<string, Rule>> = {
  RegexFullMatch: eachEntry,
  StringConcat: entrywise,
  StringNormalizer: normalize,
  StringSplit: split,
  TfIdfVectorizer: countGrams,
};

/** Operators of the domain `com.microsoft` on texts. */
export const microsoftTexts: Readonly<Record<string, Rule>> = {
  MurmurHash3: eachEntry,
  // Why unknown: an operator behind it may skip the padding, as TfIdfVectorizer does.
  Tokenizer: () => {
    throw unknown('it pads each text to the longest of any row');
  },
};
