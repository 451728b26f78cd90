/** Chooses the implementation for the protocol of a cluster. */
import type { Clock } from '../resilience/clock.ts';
import type { Random } from '../resilience/random.ts';
import { Http1Upstream } from './upstream/http1_upstream.ts';
import { Http2Upstream } from './upstream/http2_upstream.ts';
import type { Upstream, UpstreamSettings } from './upstream.ts';

export function openUpstream(settings: UpstreamSettings, clock: Clock, random: Random): Upstream {
  return settings.protocol === 'http1'
    ? new Http1Upstream(settings, clock, random)
    : new Http2Upstream(settings, clock, random);
}
