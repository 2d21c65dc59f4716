import { createHmac } from 'node:crypto';
import type { SharedAccess } from '../settings.ts';

/** Seconds for which a token is valid, and before its end in which it is made anew. */
const VALID = 3600;
const RENEWED = 600;

/**
 * Makes the header with which Event Hubs knows a sender:
 * https://learn.microsoft.com/rest/api/eventhub/generate-sas-token.
 * @param now milliseconds since 1970
 */
export function sharedAccess({ resource, keyName, key }: SharedAccess, now = Date.now): () => Record<string, string> {
  let expiry = 0;
  let token = '';
  return () => {
    const seconds = Math.floor(now() / 1000);
    if (expiry - seconds < RENEWED) {
      expiry = seconds + VALID;
      const encoded = encodeURIComponent(resource);
      const signature = createHmac('sha256', key).update(`${encoded}\n${expiry}`).digest('base64');
      token = `SharedAccessSignature sr=${encoded}&sig=${encodeURIComponent(signature)}&se=${expiry}&skn=${encodeURIComponent(keyName)}`;
    }
    return { authorization: token };
  };
}
