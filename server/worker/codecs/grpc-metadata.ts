import { ServerError } from '../../errors.ts';
import type { HeaderPairs } from '../../ipc/header-fields.ts';

/** Characters that metadata of gRPC may hold. */
const TEXT = /^[\x20-\x7e]*$/;
/** Why: gRPC's clients take 8 KiB of headers, the server's own ones included. */
const MOST_CHARACTERS = 6 * 1024;

/** Headers of an answer as initial metadata. @throws ServerError result_not_http */
export function initialMetadata(headers: HeaderPairs = []): HeaderPairs {
  let characters = 0;
  for (const [name, value] of headers) {
    characters += name.length + value.length;
    if (!TEXT.test(value))
      throw new ServerError(
        'result_not_http',
        `run() answered the header ${name} with characters other than printable ASCII, which gRPC cannot carry`,
      );
    if (characters > MOST_CHARACTERS)
      throw new ServerError(
        'result_not_http',
        `run() answered headers of more than ${MOST_CHARACTERS} characters, which clients of gRPC do not take`,
      );
  }
  return headers;
}
