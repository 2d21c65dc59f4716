/**
 * A tokeniser of transformers.js turns texts into the input of an ONNX model. The tokeniser's files
 * lie beside the script, as `save_pretrained()` writes them: nothing is downloaded. Install scripts
 * are off, because one of them would fetch libraries for CUDA.
 *
 * npm install --prefix docs/cookbook/text --ignore-scripts
 * npm start -- --entry-script docs/cookbook/text/score.ts
 * sh docs/cookbook/text/try.sh
 */

import { AutoTokenizer, env, type PreTrainedTokenizer } from '@huggingface/transformers';
import type { InitContext, Model } from 'scoring-server';

env.allowRemoteModels = false;
env.localModelPath = import.meta.dirname;

const LABELS = ['negative', 'positive'];

export const sample = { texts: ['a good film', 'bad'] };

let tokenizer: PreTrainedTokenizer;
let model: Model;

export async function init(context: InitContext) {
  tokenizer = await AutoTokenizer.from_pretrained('tokenizer');
  model = await context.openModel('sentiment.onnx');
}

export async function run({ texts }: { texts: string[] }) {
  const { input_ids, attention_mask } = tokenizer(texts, { padding: true, truncation: true });
  const { label } = await model.run({ input_ids, attention_mask });
  return texts.map((_, index) => LABELS[Number(label?.data[index])]);
}
