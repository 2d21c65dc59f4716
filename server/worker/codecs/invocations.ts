import { ScoreCodec } from './score-codec.ts';

/** Bodies of several content types, as SageMaker sends them (docs/platforms.md). */
export class InvocationsCodec extends ScoreCodec {}
