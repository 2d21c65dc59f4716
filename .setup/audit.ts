// `npm run audit`: fails for known vulnerabilities of packages that production loads. A registry
// without audits is named, and is no failure.
import { spawnSync } from 'node:child_process';

/** Severities that fail. */
const SERIOUS = ['high', 'critical'] as const;
/** Answers of registries that have no such route. */
const NOT_OFFERED: ReadonlySet<unknown> = new Set([404, 405, 501]);

/** Members of npm's report that count here, if it has its usual form. */
interface Report {
  readonly metadata?: { readonly vulnerabilities?: Readonly<Record<string, unknown>> };
  readonly vulnerabilities?: Readonly<Record<string, { readonly severity?: unknown; readonly range?: unknown }>>;
  readonly statusCode?: unknown;
  readonly message?: unknown;
}

/** What the run says, and whether it succeeds. */
export interface Verdict {
  readonly ok: boolean;
  readonly text: string;
}

/** @param output of `npm audit --json` */
export function judge(output: string): Verdict {
  const report = read(output);
  if (report === undefined) return { ok: false, text: `npm audit: expected a report as JSON, got ${JSON.stringify(output.slice(0, 100))}` };
  const { metadata, vulnerabilities = {}, statusCode, message } = report;
  if (NOT_OFFERED.has(statusCode))
    return { ok: true, text: `npm audit: this registry offers no audit (${String(statusCode)}), so no package was checked` };
  const counts = metadata?.vulnerabilities;
  if (counts === undefined)
    return { ok: false, text: `npm audit failed: ${withoutAddresses(typeof message === 'string' ? message : 'no reason given')}` };
  const found = Object.entries(vulnerabilities).map(([name, { severity, range }]) => `  ${String(severity)}: ${name} ${String(range)}`);
  const serious = SERIOUS.filter((severity) => counts[severity] !== 0);
  const text = [`npm audit: ${Number(counts['total'])} vulnerable packages at run time`, ...found].join('\n');
  return { ok: serious.length === 0, text };
}

function read(output: string): Report | undefined {
  try {
    const value: unknown = JSON.parse(output);
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}

/** The address of a registry may hold a key. */
function withoutAddresses(text: string): string {
  return text.replaceAll(/\b[a-z]+:\/\/\S+/gi, 'the registry');
}

if (import.meta.main) {
  // Offline, npm reports no vulnerabilities without a look.
  const { stdout, error } = spawnSync('npm', ['audit', '--omit=dev', '--json', '--offline=false'], { encoding: 'utf8' });
  const { ok, text } = error === undefined ? judge(stdout) : { ok: false, text: `npm audit did not start: ${error.message}` };
  console.log(text);
  process.exit(ok ? 0 : 1);
}
