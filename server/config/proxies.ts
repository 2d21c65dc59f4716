import { isPercentEncoded } from './option-values.ts';

/** Variables that name proxies: https_proxy, http_proxy, no_proxy. */
export type ProxyVariables = Readonly<Record<string, string | undefined>>;

type Env = Readonly<Record<string, string | undefined>>;

const PROXIES = ['https_proxy', 'http_proxy'];
/** In place of one of them that is not set. */
const ALL = 'all_proxy';

/**
 * Addresses that no proxy can reach: this machine, and the endpoint of a cloud's identities. Go's
 * clients leave out the first, too.
 */
const LOCAL = ['localhost', '127.0.0.1', '::1', '[::1]', '169.254.169.254'];

/**
 * The environment with proxies in the one form that all senders read alike: Node's agents, and
 * Azure's SDK. Lower case comes first, as in curl.
 * @returns problems a line for each proxy that cannot be used; it is removed
 */
export function withProxies(env: Env): { readonly env: NodeJS.ProcessEnv; readonly problems: readonly string[] } {
  const proxied: NodeJS.ProcessEnv = { ...env };
  const problems: string[] = [];
  const set = (name: string, value: string | undefined): void => {
    for (const each of [name, name.toUpperCase()])
      if (value === undefined) delete proxied[each];
      else proxied[each] = value;
  };
  const direct = directHosts(env);
  const none = direct.includes('*');
  for (const name of PROXIES) {
    const from = none ? undefined : [name, ALL].find((each) => given(env, each) !== '');
    const url = from === undefined ? undefined : proxyUrl(given(env, from));
    if (from !== undefined && url === undefined)
      problems.push(`${from}: expected an http:// or https:// URL, got another text (it may hold a password): no proxy is used for it`);
    set(name, url);
  }
  set(ALL, undefined);
  set('no_proxy', [...direct, ...LOCAL, ...identityHosts(env)].join(','));
  return { env: proxied, problems: [...new Set(problems)] };
}

/** The variables alone, for Node's agents. @param env of `withProxies` */
export function proxiesOf(env: Env): ProxyVariables {
  return Object.fromEntries([...PROXIES, 'no_proxy'].map((name) => [name, env[name]]));
}

/** Empty where neither case is set. */
const given = (env: Env, name: string): string => env[name]?.trim() || env[name.toUpperCase()]?.trim() || '';

/**
 * Without a scheme it is HTTP, as in curl. Undefined where an agent of Node throws: for a text that
 * is no URL in one line, or credentials that are not percent-encoded.
 */
function proxyUrl(value: string): string | undefined {
  const text = value.includes('://') ? value : `http://${value}`;
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol) || /\s/.test(text)) return undefined;
  return isPercentEncoded(url.username) && isPercentEncoded(url.password) ? text : undefined;
}

/** `example.com` also means `a.example.com`, as in curl, Go and Python. */
function directHosts(env: Env): string[] {
  const hosts = given(env, 'no_proxy')
    .split(',')
    .map((host) => host.trim());
  return hosts.filter((host) => host !== '').flatMap((host) => (/^[a-z][a-z0-9.-]*$/i.test(host) ? [host, `.${host}`] : [host]));
}

/** App Service and Container Apps hand out tokens at an address inside of the container. */
function identityHosts(env: Env): string[] {
  return ['IDENTITY_ENDPOINT', 'MSI_ENDPOINT'].flatMap((name) => URL.parse(env[name] ?? '')?.hostname ?? []);
}
