import { readFile, stat } from 'node:fs';
import { join } from 'node:path';
import type { Config } from '../config/config.ts';
import { ServerError } from '../errors.ts';
import type { Scorer, Served } from '../scoring/scorer-types.ts';
import type { HttpExchange } from './exchange.ts';
import type { Platform, PlatformRoute } from '../config/platforms/platform.ts';
import { ALL_VERSIONS, type Schema } from '../ipc/script-schemas.ts';
import { type Components, inDialect } from './schema-dialects.ts';
import { type Credentials, swaggerDocument, type SwaggerVersion } from './swagger-document.ts';
import type { Dialect } from './swagger-dialect.ts';
import { ROUTE_SCHEMAS, routePaths } from './swagger-routes.ts';
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

/** What a document says of the server, beside its schemas. */
interface Surroundings {
  readonly platform: Pick<Platform, 'front'>;
  readonly routes: readonly PlatformRoute[];
  /** Callers need a key or token. */
  readonly needsCredential: boolean;
}

/** `/swagger.json`: docs/http-api.md. */
export class Swagger {
  readonly #config: Config;
  readonly #scorer: Scorer;
  readonly #folder: string;
  readonly #routes: readonly PlatformRoute[];
  readonly #credentials: Credentials;
  /** Made once for what is served: the sample of a script may be megabytes. */
  #made: { readonly served: Served | undefined; readonly versions: readonly SwaggerVersion[]; readonly documents: Map<string, Buffer> } = {
    served: undefined,
    versions: ALL_VERSIONS,
    documents: new Map(),
  };

  /** @param folder of the override files */
  constructor(config: Config, scorer: Scorer, folder: string, { platform, routes, needsCredential }: Surroundings) {
    this.#config = config;
    this.#scorer = scorer;
    this.#folder = folder;
    this.#routes = routes;
    this.#credentials = needsCredential ? 'of this server' : platform.front === 'bearer' ? 'of the endpoint' : 'none';
  }

  show(exchange: HttpExchange): void {
    const [, query] = (exchange.request.url ?? '').split('?', 2);
    const parameters = new URLSearchParams(query);
    const asked = parameters.get('version') ?? '2';
    const whole = parameters.get('routes') === 'all';
    const version = Object.hasOwn(VERSIONS, asked) ? VERSIONS[asked] : undefined;
    if (version === undefined)
      throw new ServerError(
        'swagger_version',
        `Swagger version [${asked}] is not valid. Supported versions: [${this.#supported.join(', ')}].`,
      );
    this.#override(whole ? [] : OVERRIDES[version], (error, file) => {
      if (error !== undefined) return exchange.fail(error);
      const headers = ['Content-Type', 'application/json', 'x-ms-run-function-failed', 'False'];
      exchange.guard(() => exchange.answer(200, headers, file ?? this.#document(version, asked, whole)));
    });
  }

  /** The versions that can express what a script declares. */
  get #supported(): readonly SwaggerVersion[] {
    const { served } = this.#scorer;
    if (served !== this.#made.served) this.#made = { served, versions: versionsOf(served), documents: new Map() };
    return this.#made.versions;
  }

  /** @param whole it has every route @throws ServerError swagger_version */
  #document(version: SwaggerVersion, asked: string, whole: boolean): Buffer {
    if (!this.#supported.includes(version))
      throw new ServerError(
        'swagger_version',
        `Swagger version [${asked}] is not supported for the scoring script. Supported swagger versions: [${this.#supported.join(', ')}].`,
      );
    const { documents } = this.#made;
    const key = `${version} ${whole}`;
    const document = documents.get(key) ?? this.#generate(version, whole);
    documents.set(key, document);
    return document;
  }

  #generate(version: SwaggerVersion, whole: boolean): Buffer {
    const { serviceName: name, serviceVersion, servicePathPrefix: pathPrefix, modelName } = this.#config;
    const { input, output, needsInput } = serviceSchemas(this.#scorer.served);
    const jsonSchema = this.#scorer.served?.schemas?.jsonSchema === true;
    const named = (part: Schema, of: string): Components => (jsonSchema ? inDialect(part, version, of) : undefined) ?? { [of]: part };
    const described = { modelName, credentials: this.#credentials, routes: this.#routes };
    const schemas = {
      ...named(input, 'ServiceInput'),
      ...named(output, 'ServiceOutput'),
      ...(whole && ROUTE_SCHEMAS),
    };
    const service = { name, version: serviceVersion, pathPrefix, needsInput, credentials: this.#credentials, schemas };
    const more = whole ? { morePaths: (dialect: Dialect) => routePaths(dialect, described) } : {};
    return Buffer.from(JSON.stringify(swaggerDocument(version, { ...service, ...more })));
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

/** Versions that can express what a script declares. */
function versionsOf(served: Served | undefined): readonly SwaggerVersion[] {
  const { schemas } = served ?? {};
  if (schemas?.jsonSchema !== true) return schemas?.versions ?? ALL_VERSIONS;
  return schemas.versions.filter(
    (version) =>
      inDialect(schemas.input, version, 'ServiceInput') !== undefined && inDialect(schemas.output, version, 'ServiceOutput') !== undefined,
  );
}
