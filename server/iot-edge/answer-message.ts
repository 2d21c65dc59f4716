import { textType } from '../request/content-types.ts';
import type { MessageAnswer } from './message-exchange.ts';
import type { ModuleMessage } from './module-message.ts';
import type { Sdk, SdkMessage } from './sdk.ts';

/** The message of an answer: docs/iot-edge.md. */
export function answerMessage(Message: Sdk['Message'], to: ModuleMessage, answer: MessageAnswer): SdkMessage {
  const { messageId, correlationId, requestId } = to;
  const { body, contentType, contentEncoding, error, status } = answer;
  const message = new Message(body);
  message.messageId = messageId === '' ? requestId : messageId;
  message.correlationId = correlationId;
  message.contentType = contentType;
  message.contentEncoding = contentEncoding ?? (textType(contentType) === undefined ? undefined : 'utf-8');
  if (error !== undefined) {
    message.properties.add('error', error);
    message.properties.add('status', String(status));
  }
  return message;
}
