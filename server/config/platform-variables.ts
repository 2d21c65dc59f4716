import { withoutKeys } from '../guards/addresses.ts';
import { optionRows } from './config.ts';
import { readValue } from './option-values.ts';

type Variables = Readonly<Record<string, string | undefined>>;

/** Kubernetes sets `<NAME>_PORT=tcp://...` for each Service of the namespace. */
const SERVICE_LINK = /^(?:tcp|udp|sctp):\/\//i;

/**
 * The variables without the wrong values that platforms set. Why: a platform sets its variables for
 * all containers, so that a value which suits others must not end the start of this one.
 * @param warnings gets a line for each such variable
 */
export function usableVariables(env: Variables, warnings: string[]): Variables {
  const usable: Record<string, string | undefined> = { ...env };
  for (const row of optionRows) {
    for (const [index, name] of row.env.entries()) {
      const value = env[name] ?? '';
      if (value === '') continue;
      if (name.endsWith('PORT') && SERVICE_LINK.test(value)) {
        warnings.push(
          `${name}=${withoutKeys(value)} is ignored: Kubernetes sets it for a Service of that name. Set enableServiceLinks: false in the pod, or rename the Service`,
        );
        usable[name] = undefined;
      } else if (row.otherwise !== undefined) {
        try {
          readValue(row, value, index > 0);
        } catch (thrown) {
          const effect = row.otherwise === '' ? 'It is ignored' : `It counts as ${row.otherwise}`;
          warnings.push(`${name}: ${thrown instanceof Error ? thrown.message : String(thrown)}. ${effect}`);
          usable[name] = row.otherwise;
        }
      }
    }
  }
  return usable;
}
