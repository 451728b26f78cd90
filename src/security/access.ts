/** Access lists by client address. */
import { buildNetworkSet } from './client_address.ts';

/** Networks in CIDR form. `deny` takes precedence; an empty `allow` allows everyone else. */
export interface AccessSettings {
  readonly allow: readonly string[];
  readonly deny: readonly string[];
}

export interface AccessList {
  allows(ip: string): boolean;
}

const EVERYBODY: AccessList = { allows: () => true };

export function buildAccessList(settings: AccessSettings): AccessList {
  if (settings.allow.length === 0 && settings.deny.length === 0) return EVERYBODY;
  const allow = buildNetworkSet(settings.allow);
  const deny = buildNetworkSet(settings.deny);
  return { allows: ip => !deny.contains(ip) && (allow.empty || allow.contains(ip)) };
}
