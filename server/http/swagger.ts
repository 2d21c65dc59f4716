import { readFile, stat } from 'node:fs';
import { join } from 'node:path';
import type { Config } from '../config/config.ts';
import { ServerError } from '../errors.ts';
import type { Scorer } from '../scoring/scorer-types.ts';
import type { HttpExchange } from './exchange.ts';
import { swaggerDocument, type SwaggerVersion } from './swagger-document.ts';
import { serviceSchemas } from './swagger-schemas.ts';

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
    if (version === undefined) {
      throw new ServerError('swagger_version', `Swagger version [${asked}] is not valid. Supported versions: [2, 3, 3.1].`);
    }
    this.#override(OVERRIDES[version], (error, file) => {
      if (error !== undefined) return exchange.fail(error);
      const headers = ['Content-Type', 'application/json', 'x-ms-run-function-failed', 'False'];
      exchange.guard(() => exchange.answer(200, headers, file ?? this.#generate(version)));
    });
  }

  #generate(version: SwaggerVersion): string {
    const { serviceName: name, serviceVersion, servicePathPrefix: pathPrefix } = this.#config;
    const schemas = serviceSchemas(this.#scorer.served);
    return JSON.stringify(
      swaggerDocument(version, { name, version: serviceVersion, pathPrefix, needsCredential: this.#needsCredential, ...schemas }),
    );
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
