/** Variables that name proxies: https_proxy, http_proxy, no_proxy, in either case. */
export type ProxyVariables = Readonly<Record<string, string | undefined>>;

type Env = Readonly<Record<string, string | undefined>>;

const PROXIES = ['https_proxy', 'http_proxy'];

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
    const given = none ? undefined : env[name] || env[name.toUpperCase()];
    const url = given === undefined || given === '' ? undefined : proxyUrl(given);
    if (given !== undefined && given !== '' && url === undefined)
      problems.push(`${name}: expected an http:// or https:// URL, got another text (it may hold a password): no proxy is used for it`);
    set(name, url);
  }
  set('no_proxy', [...direct, ...LOCAL, ...identityHosts(env)].join(','));
  return { env: proxied, problems };
}

/** The variables alone, for Node's agents. @param env of `withProxies` */
export function proxiesOf(env: Env): ProxyVariables {
  return Object.fromEntries([...PROXIES, 'no_proxy'].map((name) => [name, env[name]]));
}

/** Without a scheme it is HTTP, as in curl. */
function proxyUrl(given: string): string | undefined {
  const text = given.includes('://') ? given : `http://${given}`;
  return /^https?:$/.test(URL.parse(text)?.protocol ?? '') ? text : undefined;
}

/** `example.com` also means `a.example.com`, as in curl, Go and Python. */
function directHosts(env: Env): string[] {
  const given = (env['no_proxy'] || env['NO_PROXY'] || '').split(',').map((host) => host.trim());
  return given.filter((host) => host !== '').flatMap((host) => (/^[a-z][a-z0-9.-]*$/i.test(host) ? [host, `.${host}`] : [host]));
}

/** App Service and Container Apps hand out tokens at an address inside of the container. */
function identityHosts(env: Env): string[] {
  return ['IDENTITY_ENDPOINT', 'MSI_ENDPOINT'].flatMap((name) => URL.parse(env[name] ?? '')?.hostname ?? []);
}
