import { type ProxyVariables, proxiesOf, withProxies } from '../config/proxies.ts';
import type { ServeCommand } from '../config/read-config.ts';
import { createLog, type Log } from '../log.ts';
import { limitsOf } from '../scoring/limits.ts';
import { addAccessMetrics } from '../telemetry/access-metrics.ts';
import { addLimitMetrics } from '../telemetry/limit-metrics.ts';
import { Metrics } from '../telemetry/metrics.ts';
import { openTelemetry } from '../telemetry/telemetry.ts';
import { Ending } from './ending.ts';
import { type HostProcess, HostServer, type OpenMessages } from './host-server.ts';
import { openCollector, ScriptRedactor } from './open-collector.ts';
import { RELEASE, type ServingPlan, servingPlan, VERSION } from './serving-plan.ts';
import { reportFailure } from './start-report.ts';

/**
 * A server until a signal ends it.
 * @param openMessages a way in beside the ports
 */
export async function serveUntilSignal(host: HostProcess, command: ServeCommand, openMessages?: OpenMessages): Promise<void> {
  const output = await createLog(command.config, host);
  const { log } = output;
  const ending = new Ending({ host, log, flush: output.flush });
  for (const warning of command.warnings) log.warn(warning);
  const { env, problems } = withProxies(host.env);
  const plan = await planOrFailure(command, log, proxiesOf(env));
  if (typeof plan === 'number') return ending.exit(plan);

  const metrics = new Metrics();
  metrics.output.observeLog(output.dropped);
  const redactor = new ScriptRedactor();
  const { config, found, collection } = plan;
  metrics.info.set({ service: config.serviceName, version: RELEASE }, 1);
  const telemetry = openTelemetry(config, {
    modelDir: found.modelDir,
    serverVersion: VERSION,
    env,
    metrics,
    log,
    redacts: () => redactor.needed !== false,
  });
  addLimitMetrics(metrics.registry, limitsOf(config));
  if (plan.access?.counts !== undefined) addAccessMetrics(metrics.registry, plan.access.counts);
  const collector = collection && (await openCollector(collection, { output, metrics, redactor, env }));
  const sends = telemetry !== undefined || collector !== undefined || config.jwtJwksUrl !== '';
  if (sends) for (const problem of problems) log.warn(problem);
  await new HostServer(host, {
    plan,
    log,
    readable: output.readable,
    metrics,
    ending,
    redactor,
    telemetry,
    collector,
    openMessages,
  }).open();
}

/** Returns the exit code where nothing can be served. */
async function planOrFailure(command: ServeCommand, log: Log, proxies: ProxyVariables): Promise<ServingPlan | number> {
  try {
    return await servingPlan(command, log, proxies);
  } catch (thrown) {
    return reportFailure(log, thrown, command.config);
  }
}
