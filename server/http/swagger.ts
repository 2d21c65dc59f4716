import { readFile, stat } from 'node:fs';
import { join } from 'node:path';
import type { Config } from '../config/config.ts';
import { ServerError } from '../errors.ts';
import type { Scorer, Served } from '../scoring/scorer-types.ts';
import type { HttpExchange } from './exchange.ts';
import { swaggerDocument, type SwaggerVersion } from './swagger-document.ts';
import { serviceSchemas } from './swagger-schemas.ts';

const ALL: readonly SwaggerVersion[] = ['2', '3', '3.1'];
const VERSIONS: Readonly<Record<string, SwaggerVersion>> = { '2': '2', '2.0': '2', '3': '3', '3.0': '3', '3.1': '3.1' };

/**
 * Files in the application's root that replace a generated document; the first that exists wins.
 */
const OVERRIDES: Record<SwaggerVersion, readonly string[]> = {
  '2': ['swagger.json', 'swagger2.json'],
  '3': ['swagger3.json'],
  '3.1': ['swagger3.1.json'],
};

/** `/swagger.json`: docs/http-api.md. */
export class Swagger {
  readonly #config: Config;
  readonly #scorer: Scorer;
  readonly #folder: string;
  readonly #needsCredential: boolean;
  /** Made once for what is served: the sample of a script may be megabytes. */
  #made: { readonly served: Served | undefined; readonly documents: Map<SwaggerVersion, Buffer> } = {
    served: undefined,
    documents: new Map(),
  };

  /** @param folder of the override files @param needsCredential callers need a key or token */
  constructor(config: Config, scorer: Scorer, folder: string, needsCredential: boolean) {
    this.#config = config;
    this.#scorer = scorer;
    this.#folder = folder;
    this.#needsCredential = needsCredential;
  }

  show(exchange: HttpExchange): void {
    const [, query] = (exchange.request.url ?? '').split('?', 2);
    const asked = new URLSearchParams(query).get('version') ?? '2';
    const version = Object.hasOwn(VERSIONS, asked) ? VERSIONS[asked] : undefined;
    if (version === undefined)
      throw new ServerError(
        'swagger_version',
        `Swagger version [${asked}] is not valid. Supported versions: [${this.#supported.join(', ')}].`,
      );
    this.#override(OVERRIDES[version], (error, file) => {
      if (error !== undefined) return exchange.fail(error);
      const headers = ['Content-Type', 'application/json', 'x-ms-run-function-failed', 'False'];
      exchange.guard(() => exchange.answer(200, headers, file ?? this.#document(version, asked)));
    });
  }

  /** The versions that can express what a script declares. */
  get #supported(): readonly string[] {
    return this.#scorer.served?.schemas?.versions ?? ALL;
  }

  /** @throws ServerError swagger_version */
  #document(version: SwaggerVersion, asked: string): Buffer {
    const { served } = this.#scorer;
    if (!this.#supported.includes(version))
      throw new ServerError(
        'swagger_version',
        `Swagger version [${asked}] is not supported for the scoring script. Supported swagger versions: [${this.#supported.join(', ')}].`,
      );
    if (served !== this.#made.served) this.#made = { served, documents: new Map() };
    const { documents } = this.#made;
    const document = documents.get(version) ?? this.#generate(version, served);
    documents.set(version, document);
    return document;
  }

  #generate(version: SwaggerVersion, served: Served | undefined): Buffer {
    const { serviceName: name, serviceVersion, servicePathPrefix: pathPrefix } = this.#config;
    const service = { name, version: serviceVersion, pathPrefix, needsCredential: this.#needsCredential, ...serviceSchemas(served) };
    return Buffer.from(JSON.stringify(swaggerDocument(version, service)));
  }

  /** Reads the file at each request, because requests are rare and a file may be mounted late. */
  #override([name, ...others]: readonly string[], done: (error?: ServerError, file?: Buffer) => void): void {
    if (name === undefined) return done();
    const path = join(this.#folder, name);
    stat(path, (missing, found) => {
      // A pipe would hold a thread of libuv without end.
      if (missing?.code === 'ENOENT' || (missing === null && !found.isFile())) return this.#override(others, done);
      readFile(path, (error, file) => {
        if (error === null) return done(undefined, file);
        done(new ServerError('internal', `cannot read ${name}: ${error.message}`, { cause: error }));
      });
    });
  }
}
