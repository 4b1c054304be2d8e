// The URL of a database, taken apart as libpq does (its "Connection URIs"), with several hosts, which the driver does not
// support. Errors never quote the URL, since what they quote may be a password.

export interface Host {
  /** A name, an address, or the folder of a socket; empty: the driver's default. */
  readonly host: string;
  readonly port: number;
}

/** The values of libpq's target_session_attrs that make sense for a service that writes. */
export type WantedServer = 'any' | 'read-write' | 'primary';

export interface DatabaseUrl {
  /** At least one; tried in this order, beginning with the last that worked. */
  readonly hosts: readonly [Host, ...Host[]];
  readonly wanted: WantedServer;
  /** `options` of the URL: settings for each session. */
  readonly options: string;
  /** Files that the URL names, by parameter. */
  readonly files: readonly { readonly name: string; readonly path: string }[];
  /** The URL for the driver, of this host alone; `database`: another one on it. */
  of(host: Host, database?: string): string;
}

export type ParsedUrl = DatabaseUrl | { readonly problem: string };

const FORM = 'must look like postgres://user:password@host:5432/name';
const ENCODE =
  'cannot be read: percent-encode what is special in its user, password or name (@ is %40, / is %2F, # is %23, ? is %3F, % is %25)';
const PORT = 5432;

/** Parameters that are dealt with here; the driver gets the others. */
const OWN = ['target_session_attrs', 'host', 'port', 'options'] as const;

export function parseDatabaseUrl(text: string): ParsedUrl {
  const scheme = /^postgres(?:ql)?:\/\//.exec(text)?.[0];
  if (scheme === undefined || /\s/.test(text)) return problem(FORM);
  const rest = text.slice(scheme.length);
  const [authority = ''] = rest.split(/[/?#]/, 1);
  const [, name = '', query = ''] = /^(?:\/([^?]*))?(?:\?(.*))?$/.exec(rest.slice(authority.length)) ?? [];
  // A raw /, ? or # ends a password where nobody meant it to: then its rest, with the @ after it, stands where the name or a
  // parameter should.
  const [login = '', ...more] = authority.split('@').reverse();
  if (more.length > 1 || /[#@]/.test(rest.slice(authority.length)) || name.includes('/'))
    return problem(ENCODE);
  const user = more[0] ?? '';
  if ([user, name, login].some((part) => decoded(part) === null)) return problem(ENCODE);

  const parameters = new URLSearchParams(query);
  const hosts = hostsOf(decoded(parameters.get('host') ?? login) ?? '', parameters.get('port'));
  if ('problem' in hosts) return hosts;
  const wanted = wantedServer(parameters.get('target_session_attrs'), hosts.length);
  if (wanted === null) {
    return problem(
      'has a target_session_attrs other than read-write, primary or any, but this service has to write',
    );
  }
  const options = parameters.get('options') ?? '';
  const files = ['sslrootcert', 'sslcert', 'sslkey'].flatMap((one) => {
    const path = parameters.get(one);
    return path === null || path === '' ? [] : [{ name: one, path }];
  });
  for (const one of OWN) parameters.delete(one);
  return {
    hosts,
    wanted,
    options,
    files,
    of({ host, port }, database) {
      const given = new URLSearchParams(parameters);
      const named = host !== '' && !host.startsWith('/');
      if (!named && host !== '') given.set('host', host);
      if (!named && port !== PORT) given.set('port', String(port));
      const at = named ? `${host.includes(':') ? `[${host}]` : host}:${port}` : '';
      const query = given.size === 0 ? '' : `?${given}`;
      const path = database === undefined ? name : encodeURIComponent(database);
      return `${scheme}${user === '' ? '' : `${user}@`}${at}/${path}${query}`;
    },
  };
}

const problem = (what: string): { readonly problem: string } => ({ problem: what });

/** Null: a `%` is not followed by a code. */
function decoded(text: string): string | null {
  try {
    return decodeURIComponent(text);
  } catch {
    return null;
  }
}

/** As in libpq: a port for each host, or one for all; without any, 5432. */
function hostsOf(
  list: string,
  ports: string | null,
): readonly [Host, ...Host[]] | { readonly problem: string } {
  const shared = ports?.split(',') ?? [];
  const names = list.split(',');
  if (shared.length > 1 && shared.length !== names.length)
    return problem(
      `names ${names.length} hosts and ${shared.length} ports: give as many of both, or one port`,
    );
  const hosts: Host[] = [];
  for (const [place, name] of names.entries()) {
    const match = /^(?:\[([0-9a-fA-F:.%]+)\]|(\/[^:]*|[^:[\]]*))(?::(\d*))?$/.exec(name);
    if (match === null) return problem(ENCODE);
    const given = shared[place] ?? shared[0] ?? match[3] ?? '';
    const port = given === '' ? PORT : Number(given);
    if (!Number.isInteger(port) || port < 1 || port > 65_535)
      return problem('names a port that is not a number from 1 to 65535');
    hosts.push({ host: match[1] ?? match[2] ?? '', port });
  }
  const [first, ...others] = hosts;
  return first === undefined ? problem(FORM) : [first, ...others];
}

/**
 * Where nothing is given, libpq takes any server. But of several hosts some are standbys, on which this service can do
 * nothing: then it has to be the one that takes writes.
 */
function wantedServer(given: string | null, hosts: number): WantedServer | null {
  if (given === null || given === '') return hosts > 1 ? 'read-write' : 'any';
  return given === 'any' || given === 'read-write' || given === 'primary' ? given : null;
}
