import type { ExportSettings } from './items.ts';

/**
 * Longest property, URL and message that the wire format takes, in UTF-16 units: docs/telemetry.md.
 */
export const LONGEST_PROPERTY = 8192;
export const LONGEST_URL = 2048;
export const LONGEST_MESSAGE = 32_768;

type Settings = Omit<ExportSettings, 'spans'>;
type Ids = Readonly<Partial<Record<'requestId' | 'clientRequestId' | 'traceId' | 'parentId', string | undefined>>>;

/** Dimensions of every item, as the Python server names them: docs/telemetry.md. */
export function dimensions(
  { containerId, workspaceName, serviceName }: Settings,
  { requestId, clientRequestId }: Ids,
): Record<string, string> {
  return {
    'Container Id': containerId,
    ...(requestId !== undefined && { 'Request Id': requestId }),
    ...(clientRequestId !== undefined && { 'Client Request Id': clientRequestId }),
    'Workspace Name': workspaceName,
    'Service Name': serviceName,
  };
}

/** Adds a text, cut to the longest property. */
export function addCut(properties: Record<string, string>, name: string, value: string): void {
  if (value.length > LONGEST_PROPERTY) properties['truncated'] = 'true';
  properties[name] = value.slice(0, LONGEST_PROPERTY);
}

/** Tags of every item. */
export function serverTags({ serviceName, containerId, serverVersion }: Settings): Record<string, string> {
  return {
    'ai.cloud.role': serviceName,
    'ai.cloud.roleInstance': containerId,
    'ai.application.ver': serverVersion,
    'ai.internal.sdkVersion': `node:${serverVersion}`,
  };
}

/** Tags that tie an item to its request. */
export function operationTags({ traceId, parentId }: Ids): Record<string, string> {
  return {
    ...(traceId !== undefined && { 'ai.operation.id': traceId }),
    ...(parentId !== undefined && { 'ai.operation.parentId': parentId }),
  };
}
