/** How the host treats text of a media type. */
interface TextType {
  /** Answers of this type are compressed. */
  readonly compressed: boolean;
  /** Telemetry sends bodies of this type as text, as the Python server does. */
  readonly exported: boolean;
}

const JSON_TYPE: TextType = { compressed: true, exported: true };
const ANY_TEXT: TextType = { compressed: true, exported: true };
const DOCUMENT: TextType = { compressed: true, exported: false };

/** Subtypes of `application/` that are text, alone or behind a `+`. */
const TEXT_TYPES: ReadonlyMap<string, TextType> = new Map([
  ['json', JSON_TYPE],
  ['jsonl', { compressed: false, exported: true }],
  ['ndjson', DOCUMENT],
  ['x-ndjson', DOCUMENT],
  ['xml', DOCUMENT],
  ['yaml', DOCUMENT],
  ['x-yaml', { compressed: false, exported: false }],
  ['javascript', DOCUMENT],
  ['sql', { compressed: false, exported: false }],
  ['x-www-form-urlencoded', { compressed: false, exported: true }],
]);

const APPLICATION = 'application/';

/**
 * The row of a content type, or undefined if its bodies are bytes. Parameters and case are ignored.
 */
export function textType(contentType: string): TextType | undefined {
  if (contentType === 'application/json') return JSON_TYPE;
  const semicolon = contentType.indexOf(';');
  const mediaType = (semicolon < 0 ? contentType : contentType.slice(0, semicolon)).trim().toLowerCase();
  if (mediaType.startsWith('text/')) return ANY_TEXT;
  if (!mediaType.startsWith(APPLICATION)) return undefined;
  return TEXT_TYPES.get(mediaType.slice(Math.max(APPLICATION.length, mediaType.lastIndexOf('+') + 1)));
}

/** Content type among the headers of a reply; empty if there is none. */
export function contentTypeOf(headers: readonly (readonly [name: string, value: string])[]): string {
  return headers.findLast(([name]) => name.toLowerCase() === 'content-type')?.[1] ?? '';
}
