/**
 * What a listener behind a cloud load balancer needs, by the name of the balancer. A value that is written in the configuration
 * takes precedence over the preset's, and the preset's over the default; `plan --origins` says which it was.
 *
 * A load balancer must be the one that closes an idle connection, or it sends a request into one that is being closed. So
 * `keepAliveIdle` is longer than its idle timeout; and `request` is shorter than the time that it waits, so that clients get
 * our 504, which says why, instead of its own.
 *
 * Sources: AWS, "Application Load Balancers: connection idle timeout" (60 s) and "Network Load Balancers: listeners" (350 s);
 * Google Cloud, "Backend services: timeouts" (keep-alive to backends 600 s, fixed; response 30 s) and "External Application Load
 * Balancer: X-Forwarded-For"; Azure, "Application Gateway: HTTP settings" (request timeout 20 s) and "TCP idle timeout" (4 min).
 */
import type { NumberId } from './defaults.ts';

export interface Preset {
  readonly numbers: Partial<Readonly<Record<NumberId, number>>>;
  /** Networks of the balancer that are public knowledge; null: they are the user's own, and must be named. */
  readonly trustedProxies: readonly string[] | null;
  /** The forwarding fields that the balancer writes. Others that come through it were written by the client. */
  readonly trustedHeaders: readonly string[];
  /** The PROXY protocol is required, and who may speak it must be named. */
  readonly proxyProtocol: boolean;
  /** For the reference. */
  readonly why: string;
}

const SECOND = 1_000;

export const PRESET_NAMES = ['aws-alb', 'aws-nlb-ppv2', 'gcp-alb', 'azure-appgw'] as const;
type PresetName = (typeof PRESET_NAMES)[number];

export const PRESETS: Readonly<Record<PresetName, Preset>> = {
  'aws-alb': {
    numbers: { 'listeners.timeouts.keepAliveIdle': 75 * SECOND, 'listeners.timeouts.request': 50 * SECOND },
    trustedProxies: null,
    trustedHeaders: ['X-Forwarded-For', 'X-Forwarded-Proto', 'X-Forwarded-Port'],
    proxyProtocol: false,
    why: 'AWS Application Load Balancer: idle timeout 60 s; it appends the client to X-Forwarded-For.',
  },
  'aws-nlb-ppv2': {
    numbers: { 'listeners.timeouts.keepAliveIdle': 360 * SECOND },
    // It forwards bytes: what is in a request was written by the client, or by a proxy in front of the balancer.
    trustedProxies: [],
    trustedHeaders: [],
    proxyProtocol: true,
    why: 'AWS Network Load Balancer with PROXY protocol v2: idle timeout 350 s; its health checks carry the header too.',
  },
  'gcp-alb': {
    numbers: {
      'listeners.timeouts.keepAliveIdle': 620 * SECOND,
      'listeners.timeouts.request': 25 * SECOND,
      'listeners.trustedHops': 2,
    },
    trustedProxies: ['35.191.0.0/16', '130.211.0.0/22'],
    trustedHeaders: ['X-Forwarded-For', 'X-Forwarded-Proto'],
    proxyProtocol: false,
    why: 'Google Cloud external Application Load Balancer: keeps idle connections for 600 s; it appends the client and its own address to X-Forwarded-For.',
  },
  'azure-appgw': {
    numbers: { 'listeners.timeouts.keepAliveIdle': 260 * SECOND, 'listeners.timeouts.request': 15 * SECOND },
    trustedProxies: null,
    trustedHeaders: ['X-Forwarded-For', 'X-Forwarded-Proto', 'X-Forwarded-Port'],
    proxyProtocol: false,
    why: 'Azure Application Gateway: idle timeout 4 min; it appends the client with its port to X-Forwarded-For.',
  },
};

/** What of a listener decides which preset holds. */
interface PresetUser {
  readonly preset?: PresetName | undefined;
}

export function presetOf({ preset }: PresetUser): Preset | null {
  return preset === undefined ? null : PRESETS[preset];
}

/** Of a number that is not written; undefined: the default holds. */
export function presetNumber(listener: PresetUser | undefined, id: NumberId): number | undefined {
  return listener === undefined ? undefined : presetOf(listener)?.numbers[id];
}
