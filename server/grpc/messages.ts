/** The small messages of the services, which the host reads and writes itself: reference/open-inference-protocol.md, section 5. */
import { blockField, FieldReader, packVarints, varintField } from '../tensors/protobuf.ts';
import type { ModelMetadata, serverMetadata } from '../scoring/model-metadata.ts';

/** ModelReadyRequest and ModelMetadataRequest. @throws RangeError where the bytes are no protobuf */
export function readModel(message: Buffer): { name: string; version: string } {
  return { name: readString(message, 1), version: readString(message, 2) };
}

/** HealthCheckRequest: the service that is asked for; empty: the server. @throws RangeError where the bytes are no protobuf */
export const readService = (message: Buffer): string => readString(message, 1);

/** ServerLiveResponse, ServerReadyResponse and ModelReadyResponse; protobuf leaves `false` out. */
export const boolMessage = (value: boolean): Buffer => (value ? varintField(1, 1) : Buffer.alloc(0));

/** HealthCheckResponse.ServingStatus: https://github.com/grpc/grpc/blob/master/doc/health-checking.md */
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

/** Longest name: errors and logs repeat it. */
const LONGEST_NAME = 4096;

/** The last string under a number, as protobuf has it; empty where there is none. */
function readString(message: Buffer, number: number): string {
  let [from, to] = [0, 0];
  const reader = new FieldReader(message);
  while (reader.next()) if (reader.number === number) [from, to] = [reader.from, reader.to];
  if (to - from > LONGEST_NAME) throw new RangeError(`expected names of at most ${LONGEST_NAME} bytes, got one of ${to - from}`);
  return message.toString('utf8', from, to);
}
