/**
 * One request as undici's handler, translated to our callbacks.
 *
 *   waiting ──onRequestStart──> sent ──onResponseStart──> responding ──onResponseEnd──> over
 *      └────────────┴──────────────┴── onResponseError, cancel, a reset of the connection ──> over
 *
 * Once it is over no callback is called, whatever undici still reports.
 */
import type { Dispatcher } from 'undici';
import errors from 'undici/lib/core/errors.js';
import type { Failure } from '../../resilience/failure.ts';
import { fieldValues } from '../fields.ts';
import { isTlsAlert, RESPONSE_HEAD_TOO_LARGE } from '../one_off_request.ts';
import type { UpstreamHandler, UpstreamRequest } from '../upstream.ts';
import { asksForConnectionLogin, carriesConnectionLogin } from './connection_auth.ts';
import { UNASKED_CONTINUE } from './undici_parser.ts';

/** The connection of the request, as far as the exchange needs it. */
export interface ConnectionFacts {
  /** The request is about to be written: from here on `reused` and `connectMs` are valid. */
  onRequestStart(): void;
  readonly reused: boolean;
  readonly connectMs: number;
  /** Bytes over the life of the connection, also after its end; NaN (equal to nothing) if unknown. */
  readonly bytesWritten: number;
  /** Also true after an error that undici has not reported yet. */
  readonly isDestroyed: boolean;
  /** No other request may use the connection; the response is complete. */
  closeAfterResponse(): void;
  /** Why there was no connection for the request. */
  readonly connectFailure: Failure | null;
}

type CodedError = Error & { code?: unknown; syscall?: unknown };

export class Http1Exchange implements Dispatcher.DispatchHandler {
  readonly #connection: ConnectionFacts;
  readonly #handler: UpstreamHandler;
  readonly #hasBody: boolean;
  #controller: Dispatcher.DispatchController | null = null;
  /** Bytes written on the connection before this request; read only if it can matter. */
  #writtenBefore = 0;
  #headSeen = false;
  /** What arrived in the turn of the head; null: passed on, or nothing is held. */
  #held: HeldResponse | null = null;
  /** The response is the last on its connection, whatever its `Connection` field says. */
  #isLast: boolean;
  /** The first error of the connection during this request. */
  #socketCode: string | null = null;
  #over = false;

  constructor(connection: ConnectionFacts, handler: UpstreamHandler, request: UpstreamRequest) {
    this.#connection = connection;
    this.#handler = handler;
    this.#hasBody = request.body !== null;
    this.#isLast = carriesConnectionLogin(request.headers);
  }

  resume(): void {
    if (!this.#over) this.#controller?.resume();
  }

  cancel(): void {
    if (this.#over) return;
    this.#over = true;
    this.#controller?.abort(new Error('cancelled')); // without a controller nothing was written: see onRequestStart
  }

  /**
   * An error of the connection, before undici sees it. Undici would misreport two kinds: it takes a reset for the end
   * of a response that ends with its connection, and a TLS alert for an ordinary end of the connection.
   */
  onSocketError(error: CodedError): void {
    if (this.#over) return;
    if (typeof error.code === 'string') this.#socketCode ??= error.code;
    if (error.code !== 'ECONNRESET' || (this.#held === null && !this.#headSeen)) return;
    this.#held = null;
    this.#fail({ kind: this.#headSeen ? 'reset_in_body' : 'reset_before_head', code: error.code });
  }

  // ---- called by undici

  onRequestStart(controller: Dispatcher.DispatchController): void {
    // If the handler throws here, undici drops the request and keeps the connection: nothing was written.
    if (this.#over) throw new Error('cancelled before it was sent');
    this.#controller = controller;
    this.#connection.onRequestStart();
    if (this.#hasBody && this.#connection.reused) this.#writtenBefore = this.#connection.bytesWritten;
    this.#handler.onConnected(this.#connection.reused, this.#connection.connectMs);
  }

  onResponseStart(
    controller: Dispatcher.DispatchController,
    status: number,
    _headers: unknown,
    statusText?: string,
  ): void {
    if (this.#over) return;
    const headers = asTexts(controller.rawHeaders);
    if (status < 200) {
      if (status !== UNASKED_CONTINUE) this.#handler.onInformation(status, headers);
      return;
    }
    if (status === 401 && asksForConnectionLogin(headers)) this.#isLast = true;
    const codings = fieldValues(headers, 'transfer-encoding');
    if (codings.length === 0) {
      this.#headSeen = true;
      this.#handler.onHead(status, statusText ?? '', headers, false);
      return;
    }
    // Only chunked bodies can turn out to be broken in the turn of their head: with Content-Length every byte is
    // valid.
    this.#held = { status, statusText: statusText ?? '', headers, coding: codings.join(', '), chunks: [] };
    process.nextTick(passHeld, this);
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#over) return;
    if (this.#held === null) {
      if (!this.#handler.onData(chunk)) controller.pause();
    } else this.#held.chunks.push(chunk);
  }

  onResponseEnd(controller: Dispatcher.DispatchController): void {
    this.#passOn();
    if (this.#over) return;
    this.#over = true;
    const trailers = asTexts(controller.rawTrailers);
    // Undici's parser ends the connection for `Connection: close` in trailers; otherwise the field has no meaning
    // there.
    if (this.#isLast || fieldValues(trailers, 'connection').length > 0) this.#connection.closeAfterResponse();
    this.#handler.onEnd(trailers.length === 0 ? null : trailers);
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: CodedError): void {
    if (this.#over) return;
    if (isLengthInTrailers(error) && (this.#held !== null || this.#headSeen)) {
      // The last chunk arrived, and with it the whole body; only what follows cannot be read.
      this.#passOn();
      if (this.#over) return;
      this.#over = true;
      this.#handler.onEnd(null);
      return;
    }
    this.#held = null;
    this.#fail(this.#failureOf(error));
  }

  /** The turn of the head is over. If the response is broken by now, nothing of it has gone to the client. */
  endTurn(): void {
    if (!this.#connection.isDestroyed) this.#passOn();
  }

  #passOn(): void {
    const held = this.#held;
    this.#held = null;
    if (held === null || this.#over) return;
    this.#headSeen = true;
    if (!isJustChunked(held.coding)) {
      this.cancel(); // ends the connection too, before the owner gives it back
      this.#handler.onError({ kind: 'bad_response', detail: 'The Transfer-Encoding is not just "chunked".' });
      return;
    }
    this.#handler.onHead(held.status, held.statusText, held.headers, false);
    for (const chunk of held.chunks) {
      if (this.#over) return; // the owner may have given up meanwhile
      if (!this.#handler.onData(chunk)) this.#controller?.pause();
    }
  }

  #fail(failure: Failure): void {
    this.#over = true;
    this.#handler.onError(failure);
  }

  #failureOf(error: CodedError): Failure {
    const { connectFailure } = this.#connection;
    if (connectFailure !== null) return connectFailure;
    const code = this.#socketCode ?? codeOf(error);
    if (this.#headSeen) return { kind: 'reset_in_body', code };
    if (error instanceof errors.HeadersOverflowError)
      return { kind: 'bad_response', detail: RESPONSE_HEAD_TOO_LARGE };
    if (isMalformed(error)) return { kind: 'bad_response', detail: 'Not a valid HTTP/1.1 response.' };
    if (isOurFault(error)) return { kind: 'internal', detail: error.message };
    if (this.#controller === null) return { kind: 'connect_refused', code };
    // TLS 1.3: a server checks the client certificate after the handshake is over for the client (RFC 8446 section
    // 4.4.2.4).
    if (!this.#connection.reused && isTlsAlert(code)) return { kind: 'tls_failed', part: 'protocol', code };
    return this.#isUnsent(error)
      ? { kind: 'reset_before_head', code, unsent: true }
      : { kind: 'reset_before_head', code };
  }

  /**
   * Whether certainly no byte of the request was written. Undici writes the head together with the first chunk of the
   * body, so nothing was sent as long as the byte count of the connection has not changed. Without a body the whole
   * request is one write, which the system has refused. A refused write of a body may have been sent in part.
   */
  #isUnsent(error: CodedError): boolean {
    if (!this.#connection.reused) return false;
    return this.#hasBody ? this.#connection.bytesWritten === this.#writtenBefore : error.syscall === 'write';
  }
}

/** A head and what followed it in the same turn. */
interface HeldResponse {
  readonly status: number;
  readonly statusText: string;
  readonly headers: string[];
  readonly coding: string;
  readonly chunks: Buffer[];
}

function passHeld(exchange: Http1Exchange): void {
  exchange.endTurn();
}

/** llhttp's error for Content-Length in trailers; it uses the same one for a head. */
function isLengthInTrailers(error: CodedError): boolean {
  return (
    error instanceof errors.HTTPParserError &&
    error.message.includes("Content-Length can't be present with Transfer-Encoding")
  );
}

/** Undici reports `SocketError` with these words for an unsolicited response or an impossible status. */
function isMalformed(error: CodedError): boolean {
  return (
    error instanceof errors.HTTPParserError ||
    error instanceof errors.ResponseContentLengthMismatchError ||
    (error instanceof errors.SocketError && error.message.startsWith('bad ')) ||
    error.code === 'ERR_ASSERTION' // undici's parser met something unexpected
  );
}

function isOurFault(error: CodedError): boolean {
  return (
    error instanceof errors.InvalidArgumentError ||
    error instanceof errors.NotSupportedError ||
    error instanceof errors.RequestContentLengthMismatchError
  );
}

function codeOf({ code, name }: CodedError): string {
  return typeof code === 'string' ? code : name;
}

/** Flat list of Latin-1 strings. */
function asTexts(raw: Dispatcher.DispatchController['rawHeaders']): string[] {
  if (!Array.isArray(raw)) return [];
  const texts: string[] = new Array(raw.length);
  for (let at = 0; at < raw.length; at++) {
    const text = raw[at] as Buffer | string;
    texts[at] = typeof text === 'string' ? text : text.toString('latin1');
  }
  return texts;
}

/**
 * RFC 9112 section 6.1: `gzip, chunked` was not asked for. Without its Transfer-Encoding the body would be passed on
 * as something that it is not. `identity` is what old servers send for none.
 */
function isJustChunked(coding: string): boolean {
  const lower = coding.trim().toLowerCase();
  return lower === 'chunked' || lower === 'identity';
}
