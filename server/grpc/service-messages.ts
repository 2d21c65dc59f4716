/**
 * Small messages of the services, which the host reads and writes itself: docs/open-inference.md.
 */
import { ServerError } from '../errors.ts';
import type { ModelMetadata, serverMetadata } from '../scoring/model-metadata.ts';
import { blockField, FieldReader, packVarints, varintField } from '../tensors/protobuf.ts';

/** ModelReadyRequest and ModelMetadataRequest. @throws ServerError invalid_input */
export function readModel(message: Buffer): { name: string; version: string } {
  return { name: readString(message, 1), version: readString(message, 2) };
}

/**
 * Service of a HealthCheckRequest; the empty name is the server's.
 * @throws ServerError invalid_input
 */
export const readService = (message: Buffer): string => readString(message, 1);

/** ServerLiveResponse, ServerReadyResponse and ModelReadyResponse; protobuf omits `false`. */
export const boolMessage = (value: boolean): Buffer => (value ? varintField(1, 1) : Buffer.alloc(0));

/**
 * HealthCheckResponse.ServingStatus:
 * https://github.com/grpc/grpc/blob/master/doc/health-checking.md
 */
export const ServingStatus = { serving: 1, notServing: 2, serviceUnknown: 3 } as const;

export const healthMessage = (status: number): Buffer => varintField(1, status);

export function serverMessage({ name, version, extensions }: typeof serverMetadata): Buffer {
  return Buffer.concat([blockField(1, name), blockField(2, version), ...extensions.map((extension) => blockField(3, extension))]);
}

export function modelMessage({ name, versions, platform, inputs, outputs, properties = {} }: ModelMetadata): Buffer {
  const tensor = (number: number, { name: port, datatype, shape }: ModelMetadata['inputs'][number]): Buffer =>
    blockField(number, Buffer.concat([blockField(1, port), blockField(2, datatype), blockField(3, packVarints(shape))]));
  return Buffer.concat([
    blockField(1, name),
    ...versions.map((version) => blockField(2, version)),
    blockField(3, platform),
    ...inputs.map((input) => tensor(4, input)),
    ...outputs.map((output) => tensor(5, output)),
    ...Object.entries(properties).map(([key, value]) => blockField(6, Buffer.concat([blockField(1, key), blockField(2, value)]))),
  ]);
}

/** Bytes of the longest name, because errors and logs repeat it. */
const LONGEST_NAME = 4096;

/**
 * The last string with this field number, as protobuf demands; empty if there is none.
 * @throws ServerError invalid_input
 */
function readString(message: Buffer, number: number): string {
  let [from, to] = [0, 0];
  try {
    const reader = new FieldReader(message);
    while (reader.next()) if (reader.number === number) [from, to] = [reader.from, reader.to];
  } catch (thrown) {
    if (thrown instanceof RangeError) throw unreadable(thrown.message, thrown);
    throw thrown;
  }
  if (to - from > LONGEST_NAME) throw unreadable(`expected names of at most ${LONGEST_NAME} bytes, got one of ${to - from}`);
  return message.toString('utf8', from, to);
}

function unreadable(reason: string, cause?: unknown): ServerError {
  return new ServerError('invalid_input', `the message cannot be read: ${reason}`, { cause });
}
