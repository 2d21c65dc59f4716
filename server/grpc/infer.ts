import { ServerError } from '../errors.ts';
import type { ScoreReply, Scorer } from '../scoring/scorer-types.ts';
import type { Call } from './call.ts';

/** Marks a body that is a ModelInferResponse: worker/open-inference-grpc.ts. */
const CONTENT_TYPE = 'application/grpc';

/** ModelInfer: the message goes to a worker as it is, and so does its answer to the client. */
export async function infer(scorer: Scorer, call: Call): Promise<void> {
  const { message, ids } = call;
  scorer.admit(message.length);
  const scoring = scorer.score({
    protocol: 'open-inference-grpc',
    method: call.method,
    url: '/inference.GRPCInferenceService/ModelInfer',
    contentType: CONTENT_TYPE,
    id: ids.id,
    clientRequestId: ids.clientRequestId,
    traceId: ids.traceId,
    traceparent: ids.traceparent,
    rawHeaders: call.rawHeaders,
    body: [message],
    bodyBytes: message.length,
  });
  call.work = scoring;
  call.scoring = scoring;
  try {
    const reply = await scoring.reply;
    call.reply = reply;
    answer(call, reply);
  } catch (thrown) {
    call.worker = scoring.workerNumber;
    throw thrown;
  }
}

/** A script may have answered with a status of its own; what is no message has no place in gRPC. */
function answer(call: Call, { status, headers, body }: ScoreReply): void {
  const whole = Buffer.isBuffer(body);
  if (!whole) body.destroy();
  if (status >= 400) return call.refuse(status, whole ? body.toString() : 'the error is a stream, which gRPC cannot carry here');
  const isMessage = headers.some(([name, value]) => name === 'content-type' && value === CONTENT_TYPE);
  if (!whole || !isMessage)
    throw new ServerError(
      'result_not_json',
      'run() answered a Response or an iterator, which has no tensor form: over gRPC return tensors by name',
    );
  call.answer(body);
}
