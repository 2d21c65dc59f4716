import { createHash, randomUUID } from 'node:crypto';
import { isHeaderValue } from '../config/option-values.ts';
import type { SdkMessage } from './sdk.ts';

/** Longest messageId of IoT Hub, in characters. */
const LONGEST_ID = 128;
/** Longest id of a request, as on HTTP. */
const LONGEST_REQUEST_ID = 100;
const HEADER_NAME = /^[!#$%&'*+.^_`|~\da-z-]{1,100}$/i;
/** Most properties that a script gets. */
const MOST_PROPERTIES = 100;

/** System properties that name the sender, and the headers that IoT Hub's services give them. */
const SENDER: Readonly<Record<string, string>> = {
  '$.cdid': 'iothub-connection-device-id',
  '$.cmid': 'iothub-connection-module-id',
};

/** A message of edgeHub, as this server reads it. */
export interface ModuleMessage {
  readonly body: Buffer;
  /** Of the message; empty: it has none. */
  readonly messageId: string;
  readonly correlationId: string;
  readonly contentType: string;
  /** Of its scoring. */
  readonly requestId: string;
  readonly traceparent: string | undefined;
  /** Name, value, name, value, ... as scripts get them. */
  readonly rawHeaders: readonly string[];
  /** Of id, sender and body. */
  readonly key: string;
  /** Two messages with the same key are one. False: only while the first is not completed. */
  readonly identified: boolean;
}

/** Reads a message. What HTTP could not carry is left out. */
export function readMessage(message: SdkMessage): ModuleMessage {
  const body = Buffer.isBuffer(message.data) ? message.data : Buffer.alloc(0);
  const properties = message.properties.propertyList.slice(0, MOST_PROPERTIES);
  const valueOf = (key: string): string | undefined => properties.find((each) => each.key === key)?.value;
  const messageId = idOf(message.messageId);
  const correlationId = idOf(message.correlationId);
  const type = message.contentType ?? '';
  const contentType = isHeaderValue(type) ? type : 'application/json';
  const rawHeaders = ['content-type', contentType];
  if (messageId !== '') rawHeaders.push('iothub-messageid', messageId);
  if (correlationId !== '') rawHeaders.push('iothub-correlationid', correlationId);
  for (const { key, value } of properties) {
    const name = SENDER[key] ?? `iothub-app-${key}`;
    if (HEADER_NAME.test(name) && isHeaderValue(value)) rawHeaders.push(name, value);
  }
  return {
    body,
    messageId,
    correlationId,
    contentType,
    requestId: messageId !== '' && messageId.length <= LONGEST_REQUEST_ID ? messageId : randomUUID(),
    traceparent: valueOf('traceparent'),
    rawHeaders,
    key: keyOf(messageId, body, [valueOf('$.cdid'), valueOf('$.cmid')]),
    identified: messageId !== '',
  };
}

/** The id, if HTTP could carry it. */
function idOf(given: string): string {
  return given.length <= LONGEST_ID && isHeaderValue(given) ? given : '';
}

/**
 * Why with the body: a sender may give all of its messages one id. Properties do not count, because
 * edgeHub gives each delivery trace properties of its own.
 */
function keyOf(id: string, body: Buffer, sender: readonly (string | undefined)[]): string {
  return createHash('sha256')
    .update(JSON.stringify([id, ...sender]))
    .update(body)
    .digest('base64');
}
