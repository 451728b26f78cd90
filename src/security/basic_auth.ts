/** HTTP Basic authentication (RFC 7617): a route that requires a name and a password. */
import { hash } from 'node:crypto';
import { findHeader, type HeaderList } from './fields.ts';
import type { StoredUser } from './htpasswd.ts';
import { clientKey } from './ip_address.ts';
import type { PasswordChecks } from './password_checks.ts';

export interface BasicAuthSettings {
  /** Shown by browsers; printable ASCII. */
  readonly realm: string;
  /** At least one. */
  readonly users: readonly StoredUser[];
  /** Whether the backend gets the `Authorization` field. */
  readonly forwardAuthorization: boolean;
}

export type LoginVerdict =
  | { readonly kind: 'user'; readonly name: string }
  | { readonly kind: 'refused' | 'overloaded' | 'failed' };

/** Longer fields are refused; no real name and password is that long. */
const CREDENTIALS_LENGTH_MAX = 2_048;
const REFUSED: LoginVerdict = { kind: 'refused' };

export class BasicAuth {
  readonly realm: string;
  readonly #users: ReadonlyMap<string, StoredUser>;
  readonly #all: readonly StoredUser[];
  readonly #checks: PasswordChecks;

  constructor({ realm, users }: BasicAuthSettings, checks: PasswordChecks) {
    this.realm = realm;
    this.#users = new Map(users.map(user => [user.name, user]));
    this.#all = users;
    this.#checks = checks;
  }

  /** Calls back once, possibly synchronously. The returned function cancels the check: there is no callback after it. */
  check(headers: HeaderList, clientIp: string, onVerdict: (verdict: LoginVerdict) => void): () => void {
    const credentials = parseCredentials(findHeader(headers, 'authorization'));
    const stored =
      credentials === null ? undefined : (this.#users.get(credentials.name) ?? this.#decoy(credentials.name));
    if (credentials === null || stored === undefined) {
      onVerdict(REFUSED);
      return nothing;
    }
    const { name, password } = credentials;
    const { passwordHash } = stored;
    const isDecoy = stored.name !== name;
    const question = { name, password, passwordHash, isDecoy, client: clientKey(clientIp) };
    return this.#checks.check(question, verdict => {
      if (verdict === 'right') onVerdict({ kind: 'user', name });
      else onVerdict(verdict === 'wrong' ? REFUSED : { kind: verdict });
    });
  }

  /** Checked in place of an unknown user, so that timing does not reveal which names exist. The same name gets the same one. */
  #decoy(name: string): StoredUser | undefined {
    const number = Number.parseInt(hash('sha256', name).slice(0, 8), 16);
    return this.#all[number % this.#all.length];
  }
}

/** RFC 7617 section 2; null: missing, malformed, or of another scheme. */
export function parseCredentials(field: string | null): { name: string; password: string } | null {
  if (field === null || field.length > CREDENTIALS_LENGTH_MAX) return null;
  const token = /^basic +([A-Za-z0-9+/]+={0,2})$/i.exec(field)?.[1];
  if (token === undefined) return null;
  const text = Buffer.from(token, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  return colon < 0 ? null : { name: text.slice(0, colon), password: text.slice(colon + 1) };
}

/** RFC 7617 section 2.1: names and passwords are read as UTF-8. */
export function basicChallenge(realm: string): string {
  return `Basic realm="${realm.replace(/["\\]/g, character => `\\${character}`)}", charset="UTF-8"`;
}

function nothing(): void {}
