import type { Parser } from './option-values.ts';

type Parts = ReadonlyMap<string, string>;

/** `name=value;name=value`, as Azure's SDKs read it. A value may hold further `=`. */
function partsOf(text: string): Parts {
  const parts = text.split(';').map((part): [string, string] => {
    const at = part.indexOf('=');
    return at < 0 ? [part.trim(), ''] : [part.slice(0, at).trim(), part.slice(at + 1).trim()];
  });
  return new Map(parts);
}

const base64 = (text: string): boolean => /^[a-z0-9+/]+={0,2}$/i.test(text) && text.length % 4 === 0;

/**
 * Connection string of a storage account, as Azure's SDK takes it: with an account's key, with a
 * SAS, or `UseDevelopmentStorage=true`.
 */
export const storageConnection: Parser<string> = (value) => {
  if (value.startsWith('UseDevelopmentStorage=true')) return value;
  const parts = partsOf(value);
  const part = (name: string): string => parts.get(name) ?? '';
  const endpoint = part('BlobEndpoint');
  const place = /^https?:$/.test(URL.parse(endpoint)?.protocol ?? '') || (endpoint === '' && /^[\w.-]+$/.test(part('EndpointSuffix')));
  const withKey = parts.has('DefaultEndpointsProtocol') && parts.has('AccountKey');
  const keyed = /^https?$/i.test(part('DefaultEndpointsProtocol')) && /^[\w-]+$/.test(part('AccountName')) && base64(part('AccountKey'));
  const signed = endpoint !== '' && part('SharedAccessSignature').includes('sig=');
  if (place && (withKey ? keyed : signed)) return value;
  throw new Error(
    'expected DefaultEndpointsProtocol=https;AccountName=...;AccountKey=<base64>;EndpointSuffix=..., or BlobEndpoint=https://...;SharedAccessSignature=...',
  );
};

/** An event hub, and the key that may send to it. */
export interface EventHub {
  /** `https://<namespace>/<event hub>`. */
  readonly url: string;
  readonly keyName: string;
  readonly key: string;
}

/**
 * Connection string of one event hub, as Azure's portal shows it for a policy of the hub.
 * @throws Error whose message has no part of the text
 */
export const eventHubConnection: Parser<EventHub> = (value) => {
  const parts = partsOf(value);
  const part = (name: string): string => parts.get(name) ?? '';
  const [hub, keyName, key] = [part('EntityPath'), part('SharedAccessKeyName'), part('SharedAccessKey')];
  const address = URL.parse(part('Endpoint').replace(/^sb:/i, 'https:'));
  if (address === null || !/^https?:$/.test(address.protocol) || !/^[\w.-]+$/.test(hub) || keyName === '' || key === '')
    throw new Error(
      'expected Endpoint=sb://<namespace>/;SharedAccessKeyName=...;SharedAccessKey=...;EntityPath=<event hub>. A policy of the namespace has no EntityPath: add it',
    );
  return { url: `${address.origin}/${hub}`, keyName, key };
};
