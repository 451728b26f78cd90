/**
 * One request in undici's terms, translated into ours: the handler that undici calls.
 *
 *   waiting ──onRequestStart──> sent ──onResponseStart──> answering ──onResponseEnd──> over
 *      └────────────┴──────────────┴── onResponseError, cancel, a reset of the connection ──> over
 *
 * Once it is over nobody hears anything, whatever undici still has to say.
 */
import { type Dispatcher, errors } from 'undici';
import type { Failure } from '../resilience/failure.ts';
import { RESPONSE_HEAD_TOO_LARGE } from './request_on.ts';
import type { UpstreamHandler } from './upstream.ts';

/** What the connection knows of itself. */
export interface ConnectionFacts {
  /** A request is about to be written to the connection: the two below are true from here on. */
  onRequestStart(): void;
  readonly reused: boolean;
  readonly connectMs: number;
  /** Over the connection's life, also when it is over; equal to nothing where it is not known. */
  readonly bytesWritten: number;
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
  #over = false;

  constructor(connection: ConnectionFacts, handler: UpstreamHandler, hasBody: boolean) {
    this.#connection = connection;
    this.#handler = handler;
    this.#hasBody = hasBody;
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
   * The connection was reset. Undici takes that for the end of an answer that ends with its connection; a cut
   * answer would be passed on as a whole one.
   */
  onReset(error: CodedError): void {
    if (!this.#over && this.#headSeen) this.#fail({ kind: 'reset_in_body', code: codeOf(error) });
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
      this.#handler.onInformation(status, headers);
      return;
    }
    this.#headSeen = true;
    this.#handler.onHead(status, statusText ?? '', headers, false);
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (!this.#over && !this.#handler.onData(chunk)) controller.pause();
  }

  onResponseEnd(controller: Dispatcher.DispatchController): void {
    if (this.#over) return;
    this.#over = true;
    const trailers = asTexts(controller.rawTrailers);
    this.#handler.onEnd(trailers.length === 0 ? null : trailers);
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: CodedError): void {
    if (!this.#over) this.#fail(this.#failureOf(error));
  }

  #fail(failure: Failure): void {
    this.#over = true;
    this.#handler.onError(failure);
  }

  #failureOf(error: CodedError): Failure {
    const { connectFailure } = this.#connection;
    if (connectFailure !== null) return connectFailure;
    if (this.#headSeen) return { kind: 'reset_in_body', code: codeOf(error) };
    if (error instanceof errors.HeadersOverflowError)
      return { kind: 'bad_response', detail: RESPONSE_HEAD_TOO_LARGE };
    if (isMalformed(error)) return { kind: 'bad_response', detail: 'The answer is no HTTP/1.1.' };
    if (isOurFault(error)) return { kind: 'internal', detail: error.message };
    if (this.#controller === null) return { kind: 'connect_refused', code: codeOf(error) };
    const code = codeOf(error);
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
