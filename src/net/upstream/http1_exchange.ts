/**
 * One request in undici's terms, translated into ours: the handler that undici calls.
 *
 *   waiting ──onRequestStart──> sent ──onResponseStart──> answering ──onResponseEnd──> over
 *      └────────────┴──────────────┴── onResponseError, cancel, a reset of the connection ──> over
 *
 * Once it is over nobody hears anything, whatever undici still has to say.
 */
import { type Dispatcher, errors } from 'undici';
import type { Failure } from '../../resilience/failure.ts';
import { fieldValues } from '../fields.ts';
import { isTlsAlert, RESPONSE_HEAD_TOO_LARGE } from '../one_off_request.ts';
import type { UpstreamHandler, UpstreamRequest } from '../upstream.ts';
import { asksForConnectionLogin, carriesConnectionLogin } from './connection_auth.ts';
import { UNASKED_CONTINUE } from './undici_parser.ts';

/** What the connection knows of itself. */
export interface ConnectionFacts {
  /** A request is about to be written to the connection: the two below are true from here on. */
  onRequestStart(): void;
  readonly reused: boolean;
  readonly connectMs: number;
  /** Over the connection's life, also when it is over; equal to nothing where it is not known. */
  readonly bytesWritten: number;
  /** Also by a defect that undici will tell in a moment. */
  readonly isDestroyed: boolean;
  /** No other request may use it: the response is complete. */
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
  /** On the connection before this request; looked up only where it can matter. */
  #writtenBefore = 0;
  #headSeen = false;
  /** What has come in the turn of the head; null: passed on, or there was nothing. */
  #held: HeldResponse | null = null;
  /** The answer is the last on its connection, whatever it says of that itself. */
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
    this.#controller?.abort(new Error('cancelled')); // without one nothing was written: see onRequestStart
  }

  /**
   * The connection has an error, which undici has not heard yet. Of two kinds it would tell something else: it takes a
   * reset for the end of an answer that ends with its connection, and a TLS alert for a mere end of the connection.
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
    // Undici drops a request whose handler throws here, and leaves the connection alone: nothing was written.
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
    // Only chunks can turn out to be broken in the turn of their head: every byte is good behind a Content-Length.
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
    // `Connection: close` in trailers ends the parser of this connection; nothing there says anything else of it.
    if (this.#isLast || fieldValues(trailers, 'connection').length > 0) this.#connection.closeAfterResponse();
    this.#handler.onEnd(trailers.length === 0 ? null : trailers);
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: CodedError): void {
    if (this.#over) return;
    if (isLengthInTrailers(error) && (this.#held !== null || this.#headSeen)) {
      // The last chunk was there, and the whole body with it; only what follows cannot be read.
      this.#passOn();
      if (this.#over) return;
      this.#over = true;
      this.#handler.onEnd(null);
      return;
    }
    this.#held = null;
    this.#fail(this.#failureOf(error));
  }

  /** The turn of the head is over. What is broken by now is no answer: nothing of it has gone to the client. */
  endTurn(): void {
    if (!this.#connection.isDestroyed) this.#passOn();
  }

  #passOn(): void {
    const held = this.#held;
    this.#held = null;
    if (held === null || this.#over) return;
    this.#headSeen = true;
    if (!isJustChunked(held.coding)) {
      this.cancel(); // the connection goes with it, before the owner gives it back
      this.#handler.onError({ kind: 'bad_response', detail: 'The Transfer-Encoding is not just "chunked".' });
      return;
    }
    this.#handler.onHead(held.status, held.statusText, held.headers, false);
    for (const chunk of held.chunks) {
      if (this.#over) return; // the owner may have given up on it meanwhile
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
    // TLS 1.3: a server judges the client's certificate after the handshake is over for the client (RFC 8446 section 4.4.2.4).
    if (!this.#connection.reused && isTlsAlert(code)) return { kind: 'tls_failed', part: 'protocol', code };
    return this.#isUnsent(error)
      ? { kind: 'reset_before_head', code, unsent: true }
      : { kind: 'reset_before_head', code };
  }

  /**
   * For certain not a byte of the request was written. Undici writes the head together with the first piece of the
   * body, so nothing has left as long as the connection counts no byte more; and without a body the whole request
   * is one write, which the system has refused. A refused write of a body may have got through in part.
   */
  #isUnsent(error: CodedError): boolean {
    if (!this.#connection.reused) return false;
    return this.#hasBody ? this.#connection.bytesWritten === this.#writtenBefore : error.syscall === 'write';
  }
}

/** A head and what follows it in the same turn. */
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

/** llhttp gives up at a Content-Length behind chunks; in a head it says the same. */
function isLengthInTrailers(error: CodedError): boolean {
  return (
    error instanceof errors.HTTPParserError &&
    error.message.includes("Content-Length can't be present with Transfer-Encoding")
  );
}

/** Undici says `SocketError` with these words when an answer comes unasked or with a status that cannot be. */
function isMalformed(error: CodedError): boolean {
  return (
    error instanceof errors.HTTPParserError ||
    error instanceof errors.ResponseContentLengthMismatchError ||
    (error instanceof errors.SocketError && error.message.startsWith('bad ')) ||
    error.code === 'ERR_ASSERTION' // its parser has met what it does not expect
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

/** Flat list of Latin-1 texts. */
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
 * RFC 9112 section 6.1: `gzip, chunked` was not asked for. Without its Transfer-Encoding the body would go on as
 * something that it is not. `identity` is what servers of the last century said for none.
 */
function isJustChunked(coding: string): boolean {
  const lower = coding.trim().toLowerCase();
  return lower === 'chunked' || lower === 'identity';
}
