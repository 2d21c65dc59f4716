import { ScoreCodec } from './score-codec.ts';

/** `{"Data": ...}` to `{"Outputs": ..., "ReturnValue": ...}`: docs/platforms.md. */
export class AzureFunctionCodec extends ScoreCodec {}
