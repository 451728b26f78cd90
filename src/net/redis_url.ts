/** Parses the URL of a store: `redis://user:password@host:6379/0`, or `rediss://` for TLS. */

export interface RedisAddress {
  readonly host: string;
  readonly port: number;
  readonly secure: boolean;
  /** Null: the server's user `default`. */
  readonly username: string | null;
  readonly password: string | null; // secret
  readonly database: number;
}

const PORT_DEFAULT = 6_379;
const FORM =
  'write redis://HOST:PORT, rediss://HOST:PORT for TLS, or redis://USER:PASSWORD@HOST:PORT/DATABASE';

/** Returns the problem as a string. It never contains a part of the URL, which may be secret. */
export function parseRedisUrl(text: string): RedisAddress | string {
  if (!/^rediss?:\/\//i.test(text) || !URL.canParse(text)) return `not the URL of a Redis server; ${FORM}`;
  const url = new URL(text);
  if (url.hostname === '') return `the host is missing; ${FORM}`;
  if (url.search !== '' || url.hash !== '') return `a query or fragment has no meaning here; ${FORM}`;
  if (!/^(?:\/\d{0,5})?$/.test(url.pathname)) return `the database must be a number; ${FORM}`;
  if (url.port === '0') return `the port must be from 1 to 65535; ${FORM}`;
  const username = decoded(url.username);
  const password = decoded(url.password);
  if (username === null || password === null)
    return 'user and password must be percent-encoded; write %25 for a percent sign';
  if (username !== '' && password === '') return `a user needs a password; ${FORM}`;
  return {
    host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
    port: url.port === '' ? PORT_DEFAULT : Number(url.port),
    secure: /^rediss:/i.test(text),
    username: username === '' ? null : username,
    password: password === '' ? null : password,
    database: Number(url.pathname.slice(1)),
  };
}

function decoded(text: string): string | null {
  try {
    return decodeURIComponent(text);
  } catch {
    return null;
  }
}
