import { accessContradictions } from './access-contradictions.ts';
import { missingTlsFiles } from './tls-files.ts';
import { unknownSecrets } from './secret-variables.ts';
import type { Config } from './config.ts';

/** Options that cannot hold together, a text each. */
export function contradictions(config: Config): string[] {
  return [...accessContradictions(config), ...missingTlsFiles(config), ...bodyLimits(config), ...unknownSecrets(config)];
}

function bodyLimits({ bodyLimitBytes, queueMaxBytes }: Config): string[] {
  if (bodyLimitBytes <= queueMaxBytes) return [];
  return [
    `BODY_LIMIT_BYTES: expected at most QUEUE_MAX_BYTES, which is ${queueMaxBytes}, got ${bodyLimitBytes}: the largest body would never be admitted. Set QUEUE_MAX_BYTES to ${bodyLimitBytes} or more, or BODY_LIMIT_BYTES to ${queueMaxBytes} or less`,
  ];
}
