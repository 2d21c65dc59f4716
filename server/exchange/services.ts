import type { Access, RouteAccess } from '../access/access.ts';
import type { ClientRates } from '../access/client-rates.ts';
import type { Certificates } from '../access/certificates.ts';
import type { ClientCertificates } from '../access/client-certificate.ts';
import type { Capture } from '../collection/host/capture.ts';
import type { Config } from '../config/config.ts';
import type { Profile } from '../config/platforms/platforms.ts';
import type { Lifecycle } from '../lifecycle.ts';
import type { Log } from '../log.ts';
import type { Sampler } from '../request/request-ids.ts';
import type { Scorer } from '../scoring/scorer-types.ts';
import { LargeBuffers } from '../system/large-buffers.ts';
import { AccessLog } from '../telemetry/access-log.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { RequestExports } from '../telemetry/request-exports.ts';
import { Deprecations } from './deprecations.ts';
import { FailureLog } from './failure-log.ts';

/** Decides which requests are collected. */
interface Captures {
  /** Begins to keep a request, or returns undefined if it is not sampled. */
  capture(id: string): Capture | undefined;
}

/** Parts that the host gives every front door. */
export interface DoorParts {
  readonly config: Pick<Config, 'accessLog' | 'accessLogFields' | 'trustedProxies'>;
  readonly scorer: Scorer;
  /** Undefined: everybody may call. */
  readonly access?: Access | undefined;
  /** Undefined: no client has a limit. All front doors share it. */
  readonly rates?: ClientRates | undefined;
  /** Undefined: the ports speak no TLS. */
  readonly certificates?: Certificates | undefined;
  /** Undefined if nothing is collected. */
  readonly collector?: Captures | undefined;
  readonly lifecycle: Lifecycle;
  readonly metrics: Metrics;
  readonly log: Log;
  /** Undefined if no telemetry leaves the server. */
  readonly exports?: RequestExports | undefined;
  readonly sampler?: Sampler;
  /** Undefined: no platform has started this server. */
  readonly profile?: Profile | undefined;
}

/** Services that all exchanges of one front door share. */
export interface ExchangeServices {
  readonly scorer: Scorer;
  /** Undefined: everybody may call. */
  readonly access: Access | undefined;
  /** Undefined: no client has a limit. */
  readonly rates: ClientRates | undefined;
  readonly scheme: 'http' | 'https';
  /** Undefined if clients need no certificate. */
  readonly clientCertificates: ClientCertificates | undefined;
  /** Undefined if nothing is collected. */
  readonly collector: Captures | undefined;
  readonly failureLog: FailureLog;
  readonly deprecations: Deprecations;
  readonly accessLog: AccessLog;
  /** Whether exchanges read the address of the other end. */
  readonly readsPeer: boolean;
  readonly buffers: LargeBuffers;
  readonly sampler: Sampler;
  /** The platform's header with the id of a request; undefined: it has none. */
  readonly idHeader: string | undefined;
  /** Whether telemetry sends the beginning of request bodies. */
  readonly sendsInput: boolean;
}

/** A route, as logs and metrics see it. */
export interface ExchangeRoute {
  /** Label in logs and metrics. */
  readonly path: string;
  /** What it asks its callers for. */
  readonly access: RouteAccess;
  /** False for probes and scrapes: they are neither logged nor counted. */
  readonly counted: boolean;
  /** True if a worker scores the request. */
  readonly scores?: boolean;
  /** True if no route matched: the log has the path. */
  readonly unknown?: true;
  /** Headers that a worker gets before those of the request. */
  readonly told?: readonly string[] | undefined;
}

/** Makes the services of one front door. */
export function exchangeServices(parts: DoorParts): ExchangeServices {
  const { config, scorer, access, rates, certificates, collector, metrics, log, exports, sampler, profile } = parts;
  const accessLog = new AccessLog(config.accessLog ? log : undefined, metrics, exports, config);
  return {
    scorer,
    access,
    rates,
    scheme: certificates === undefined ? 'http' : 'https',
    clientCertificates: certificates?.clients,
    collector,
    failureLog: new FailureLog(log),
    deprecations: new Deprecations(log),
    accessLog,
    readsPeer: accessLog.showsClient || rates !== undefined,
    buffers: new LargeBuffers(),
    sampler,
    idHeader: profile?.platform.idHeader,
    sendsInput: exports?.choice.modelData === true,
  };
}
