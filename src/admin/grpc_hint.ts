/** What is wrong if a gRPC call goes to a cluster that does not speak HTTP/2. */

import type { Plan } from '../config/plan.ts';
import type { SettingOrigins } from '../http/data_plane.ts';
import { findHeader, type HeaderList } from '../security/headers.ts';
import { placeText } from './settings_text.ts';

/** gRPC needs HTTP/2 all the way (gRPC over HTTP2, "Requests"); over HTTP/1.1 its trailers and streams get lost. */
export function grpcHint(
  plan: Plan,
  origins: SettingOrigins,
  clusters: readonly string[],
  headers: HeaderList,
): string | null {
  const type = findHeader(headers, 'content-type') ?? '';
  if (!/^application\/grpc(?:[+; ]|$)/i.test(type)) return null;
  const wrong = clusters.find(name => plan.clusters[name]?.protocol === 'http1');
  if (wrong === undefined) return null;
  const protocol = plan.clusters[wrong]?.tls === null ? 'h2c' : 'http2';
  const key = `clusters.${wrong}.protocol`;
  const origin = origins.get(key);
  // What is not written has no line; the cluster, where it belongs, has one.
  const place =
    origin === 'default'
      ? `http1 by default; the cluster is at ${placeText(origins.get(`clusters.${wrong}.name`))}`
      : placeText(origin);
  return `gRPC needs HTTP/2 to the backend: set protocol: ${protocol} on cluster ${wrong} (${key}: ${place})`;
}
