/**
 * Detects the protocol on a connection without TLS. HTTP/2 with prior knowledge begins with a preface (RFC 9113
 * sections 3.3 and 3.4) with which no HTTP/1 request can begin. The bytes that were read are put back.
 */
import type { Socket } from 'node:net';
import type { Clock } from '../../resilience/clock.ts';

const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1');

/** Calls back at most once. A client that sends too little within `limitMs` is closed, without a call. */
export function detectProtocol(
  socket: Socket,
  limitMs: number,
  clock: Clock,
  callback: (protocol: 'http1' | 'http2') => void,
): void {
  let head: Buffer = Buffer.alloc(0);
  const timer = clock.setTimer(destroy, limitMs, socket);
  const decide = (protocol: 'http1' | 'http2'): void => {
    clock.cancelTimer(timer);
    socket.off('data', onData).off('end', onEnd).off('close', onClose);
    socket.pause();
    if (head.length > 0) socket.unshift(head);
    callback(protocol);
    // Node's HTTP/1.1 server takes what is buffered when the socket flows; its HTTP/2 session reads it by itself. A
    // connection that waits for a plan (`lifecycle/listeners.ts`) has no reader yet, so its bytes must stay.
    if (protocol === 'http1' && socket.listenerCount('data') > 0) socket.resume();
  };
  const onData = (chunk: Buffer): void => {
    head = head.length === 0 ? chunk : Buffer.concat([head, chunk]);
    const length = Math.min(head.length, PREFACE.length);
    if (!head.subarray(0, length).equals(PREFACE.subarray(0, length))) decide('http1');
    else if (length === PREFACE.length) decide('http2');
  };
  const onEnd = (): void => void socket.destroy(); // a part of the preface, and never the rest
  const onClose = (): void => clock.cancelTimer(timer);
  socket.on('data', onData).on('end', onEnd).on('close', onClose);
}

/** The first byte of a TLS record with a handshake (RFC 8446 section 5.1); SSL 2 begins with a length. */
const HANDSHAKE = 0x16;
const SSL2 = 0x80;

/**
 * Whether the client begins with TLS or with something else, such as plain HTTP, and its first bytes, which stay in the
 * socket. A client that sends nothing for `limitMs` is closed, and `onSilence` is called instead.
 */
export function detectTls(
  socket: Socket,
  limitMs: number,
  clock: Clock,
  callback: (isTls: boolean, first: Buffer) => void,
  onSilence: () => void,
): void {
  const timer = clock.setTimer(giveUp, limitMs, () => {
    onSilence();
    socket.destroy();
  });
  const onReadable = (): void => {
    const first = socket.read() as Buffer | null;
    if (first === null) return;
    clock.cancelTimer(timer);
    socket.off('readable', onReadable).off('end', onEnd).off('close', onClose);
    socket.unshift(first);
    callback(first[0] === HANDSHAKE || (first[0] ?? 0) >= SSL2, first);
  };
  const onEnd = (): void => void socket.destroy();
  const onClose = (): void => clock.cancelTimer(timer);
  socket.on('readable', onReadable).on('end', onEnd).on('close', onClose);
}

function giveUp(act: () => void): void {
  act();
}

function destroy(socket: Socket): void {
  socket.destroy();
}
