/** What the proxy knows of gRPC over HTTP/2: which requests are calls, and how a call ended. */
import { findHeader, type HeaderList } from '../security/headers.ts';
import type { RawRequest } from '../security/request_head.ts';

/** Only over HTTP/2, as in gRPC itself. `application/grpc-web` is another protocol, whose clients read the HTTP status. */
export function isGrpcCall({ protocol, headers }: Pick<RawRequest, 'protocol' | 'headers'>): boolean {
  if (protocol !== 'HTTP/2.0') return false;
  const type = findHeader(headers, 'content-type');
  return type !== null && /^application\/grpc(?:[+; ]|$)/i.test(type);
}

/** `grpc-status` of the trailers, or of the head if nothing else was sent (Trailers-Only); null: absent or not a number. */
export function grpcStatusOf(fields: HeaderList): number | null {
  const status = findHeader(fields, 'grpc-status');
  return status !== null && /^\d{1,3}$/.test(status) ? Number(status) : null;
}
