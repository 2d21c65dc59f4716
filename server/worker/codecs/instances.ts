import { ScoreCodec } from './score-codec.ts';

/** `{"instances": [...]}` to `{"predictions": [...]}`: docs/platforms.md. */
export class InstancesCodec extends ScoreCodec {}
