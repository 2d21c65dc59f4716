import type { HostCollector } from '../collection/host/collector.ts';
import { ServerError } from '../errors.ts';
import type { ScoreReply, Scorer } from '../scoring/scorer-types.ts';
import { INFER_PATH, type Call } from './call.ts';
import type { Message } from './message.ts';

/** Marks a body that is a ModelInferResponse: worker/codecs/open-inference-grpc.ts. */
const CONTENT_TYPE = 'application/grpc';

/** ModelInfer: the message, which was admitted, goes to a worker as it is, and so does its answer to the client. */
export async function infer(scorer: Scorer, collector: HostCollector | undefined, call: Call, { pieces, bytes }: Message): Promise<void> {
  const { ids } = call;
  call.capture = collector?.capture(ids.id);
  call.capture?.received(CONTENT_TYPE, call.rawHeaders, pieces, bytes);
  const scoring = scorer.score({
    protocol: 'open-inference-grpc',
    method: call.method,
    url: INFER_PATH,
    contentType: CONTENT_TYPE,
    id: ids.id,
    clientRequestId: ids.clientRequestId,
    traceId: ids.traceId,
    traceparent: ids.traceparent,
    rawHeaders: call.rawHeaders,
    body: pieces,
    bodyBytes: bytes,
  });
  call.work = scoring;
  call.scoring = scoring;
  try {
    const reply = await scoring.reply;
    call.reply = reply;
    call.capture?.answered(typeOf(reply), reply.headers, Buffer.isBuffer(reply.body) ? reply.body : Buffer.alloc(0));
    answer(call, reply);
  } catch (thrown) {
    call.worker = scoring.workerNumber;
    throw thrown;
  }
}

const typeOf = ({ headers }: Pick<ScoreReply, 'headers'>): string => headers.find(([name]) => name === 'content-type')?.[1] ?? '';

/** A script may have answered with a status of its own; what is no message has no place in gRPC. */
function answer(call: Call, { status, headers, body }: ScoreReply): void {
  const whole = Buffer.isBuffer(body);
  if (!whole) body.destroy();
  if (status >= 400) return call.refuse(status, whole ? body.toString() : 'the error is a stream, which gRPC cannot carry here');
  if (!whole || typeOf({ headers }) !== CONTENT_TYPE)
    throw new ServerError(
      'result_not_json',
      'run() answered a Response or an iterator, which has no tensor form: over gRPC return tensors by name',
    );
  call.answer(body);
}
