import { ServerError } from '../../errors.ts';
import { excerpt } from '../../guards/excerpt.ts';
import { anyGiven, given, isRequestPath, PLAIN, type Platform, type StartLimit, type Surroundings } from './platform.ts';

/** The path that App Service asks for until a container counts as started. */
const WARM_UP = '/robots933456.txt';
/** Seconds until a start counts as failed: the platform's own value, and its largest one. */
const [START_LIMIT_S, LONGEST_START_S] = [230, 1800];

/** A web app for containers: its front end has TLS, and checks no key. */
export const appService: Platform = {
  ...PLAIN,
  name: 'app-service',
  title: 'Azure App Service',
  doc: { signs: '`WEBSITE_SITE_NAME`', port: '`PORT`, `WEBSITES_PORT`, else 80' },
  detect: (around) => anyGiven(around, 'WEBSITE_SITE_NAME'),
  values: (around) => ({ PORT: given(around, 'WEBSITES_PORT') ?? '80' }),
  routes: (around) => [{ path: warmUpPath(around), kind: 'ready', literal: true }],
  names: false,
  portVariable: 'WEBSITES_PORT',
  front: 'nothing',
  startLimit,
};

/**
 * The warm-up path without its query.
 * @throws ServerError usage for what no request can have
 */
function warmUpPath(around: Surroundings): string {
  const [path = ''] = (given(around, 'WEBSITE_WARMUP_PATH') ?? WARM_UP).trim().split('?');
  const absolute = path.startsWith('/') ? path : `/${path}`;
  if (!URL.canParse(path) && isRequestPath(absolute)) return absolute;
  throw new ServerError('usage', `WEBSITE_WARMUP_PATH: expected a path as a request has it, such as /health/ready, got ${excerpt(path)}`);
}

/** Without WEBSITE_WARMUP_STATUSES any answer counts, and the port is open before `init()`. */
function startLimit(around: Surroundings): StartLimit | undefined {
  const statuses = given(around, 'WEBSITE_WARMUP_STATUSES');
  if (statuses === undefined || statuses.split(',').some((status) => status.trim() === '503')) return undefined;
  const variable = 'WEBSITES_CONTAINER_START_TIME_LIMIT';
  const seconds = Number(given(around, variable));
  return { variable, ms: 1000 * (seconds > 0 ? Math.min(seconds, LONGEST_START_S) : START_LIMIT_S) };
}
