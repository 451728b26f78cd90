/**
 * The gRPC health checking protocol (grpc/doc/health-checking.md): one call of `grpc.health.v1.Health/Check`. Its two
 * messages have one field each, so they are encoded here instead of with a library.
 */
import http2 from 'node:http2';
import type { Socket } from 'node:net';
import { errorCode } from '../resilience/error_code.ts';
import { type ProbeCallback, USER_AGENT } from './probe_settings.ts';

const PATH = '/grpc.health.v1.Health/Check';
/** `HealthCheckResponse.ServingStatus`. */
const STATUSES = ['UNKNOWN', 'SERVING', 'NOT_SERVING', 'SERVICE_UNKNOWN'];
/** A gRPC message begins with one byte for compression and four for its length. */
const PREFIX_BYTES = 5;
const RESPONSE_BYTES_MAX = 1_024;
/** Field 1 as a string, and field 1 as an enumeration (protobuf encoding: number, then wire type). */
const STRING_FIELD = 0x0a;
const ENUM_FIELD = 0x08;

export function askGrpc(service: string, socket: Socket, authority: string, report: ProbeCallback): void {
  const session = http2.connect('http://backend', { createConnection: () => socket });
  session.on('error', error => report(false, errorCode(error)));
  const stream = session.request({
    ':method': 'POST',
    ':scheme': 'encrypted' in socket ? 'https' : 'http',
    ':authority': authority,
    ':path': PATH,
    'content-type': 'application/grpc',
    te: 'trailers',
    'user-agent': USER_AGENT,
  });
  let bytes = Buffer.alloc(0);
  const judgeStatus = (headers: http2.IncomingHttpHeaders): void => {
    const code = headers['grpc-status'];
    if (code !== undefined && code !== '0') report(false, `grpc-status ${code}`);
  };
  stream.on('response', headers => {
    if (headers[':status'] !== 200) report(false, `status ${headers[':status']}`);
    judgeStatus(headers); // a response of trailers only
  });
  stream.on('data', (chunk: Buffer) => {
    if (bytes.length < RESPONSE_BYTES_MAX) bytes = Buffer.concat([bytes, chunk]);
  });
  stream.on('trailers', judgeStatus);
  stream.on('end', () => {
    const status = statusOf(bytes);
    report(status === 'SERVING', status ?? 'the response is not a HealthCheckResponse');
  });
  stream.on('error', error => report(false, errorCode(error)));
  stream.on('close', () => report(false, 'closed'));
  stream.end(question(service));
}

/** `config` limits a service name to 127 bytes, so that its length fits one byte. */
function question(service: string): Buffer {
  const name = Buffer.from(service);
  const message = name.length === 0 ? name : Buffer.concat([Buffer.from([STRING_FIELD, name.length]), name]);
  const prefix = Buffer.alloc(PREFIX_BYTES);
  prefix.writeUInt32BE(message.length, 1);
  return Buffer.concat([prefix, message]);
}

/** An absent field has the value 0. */
function statusOf(bytes: Buffer): string | null {
  if (bytes.length < PREFIX_BYTES || bytes.readUInt32BE(1) !== bytes.length - PREFIX_BYTES) return null;
  const message = bytes.subarray(PREFIX_BYTES);
  if (message.length === 0) return STATUSES[0] ?? null;
  return message[0] === ENUM_FIELD ? (STATUSES[message[1] ?? 0] ?? null) : null;
}
