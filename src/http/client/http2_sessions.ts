/** The open HTTP/2 sessions of a listener: ended when they are idle, when their client floods, and with the listener. */
import { constants, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';
import type { CutCause } from '../../net/connection.ts';
import type { Clock } from '../../resilience/clock.ts';
import type { ListenerSettings } from '../listener_settings.ts';
import type { ClientConnection } from './connection.ts';
import { cutCauseOf } from './cut_cause.ts';
import { resetBurst } from './http2_options.ts';

/** How long a client that has sent GOAWAY may take to close its connection. */
const CLOSE_MS_MAX = 2_000;
/** How often an HTTP/2 connection is checked for bytes that belong to no request: one that receives, and a quiet one. */
const WASTE_CHECK_MS = { receiving: 100, quiet: 1_000 } as const;

interface SessionDeps {
  readonly clock: Clock;
  readonly isDraining: () => boolean;
  /** A connection is ended because of what its client sent. */
  readonly onCut: (connection: ClientConnection, cause: CutCause) => void;
}

export class Http2Sessions {
  readonly #deps: SessionDeps;
  readonly #sessions = new Map<ServerHttp2Session, ClientConnection>();

  constructor(deps: SessionDeps) {
    this.#deps = deps;
  }

  connectionOf({ session }: ServerHttp2Stream): ClientConnection | undefined {
    return session === undefined ? undefined : this.#sessions.get(session as ServerHttp2Session);
  }

  /** Tells clients to open no more streams; those in progress continue. */
  goAway(): void {
    for (const session of this.#sessions.keys()) if (!session.closed) session.close();
  }

  destroyAll(): void {
    for (const session of this.#sessions.keys()) session.destroy();
  }

  /** `settings` are those that the session keeps. */
  add(session: ServerHttp2Session, connection: ClientConnection, settings: ListenerSettings): void {
    this.#sessions.set(session, connection);
    session.on('close', () => this.#sessions.delete(session));
    session.on('error', error => {
      const cause = cutCauseOf(error);
      if (cause !== null) this.#deps.onCut(connection, cause);
    });
    session.setLocalWindowSize(settings.http2Settings.connectionWindowBytes);
    this.#watchIdle(session, connection, settings);
    // MadeYouReset (CVE-2025-8671): a client that has us reset its streams pays as one that resets them itself.
    connection.malformedMax = resetBurst(settings);
    connection.onTooManyMalformed = () => {
      if (session.destroyed) return;
      this.#deps.onCut(connection, 'flood');
      session.goaway(constants.NGHTTP2_ENHANCE_YOUR_CALM);
      session.close();
    };
  }

  /**
   * Closes the session after `idleMs` without a request; other bytes (pings, half a head) do not count. Also destroys
   * a session that was closed and has no request left, because Node would wait for ever for the client to close its
   * side.
   */
  #watchIdle(session: ServerHttp2Session, connection: ClientConnection, settings: ListenerSettings): void {
    const { clock } = this.#deps;
    const { keepAliveIdleMs: idleMs } = settings;
    const isOver = () => session.closed && connection.active === 0;
    const end = () => {
      if (isOver() && this.#deps.isDraining()) return; // `ConnectionDrain` knows whether bytes still move
      if (isOver()) connection.destroy();
    };
    const endSoon = () => {
      if (isOver()) clock.setTimer(end, CLOSE_MS_MAX, undefined);
    };
    let idleAtMs = clock.nowMs();
    let seenBytes = 0;
    const checkMs = () => {
      const isQuiet = connection.receivedBytes === seenBytes;
      seenBytes = connection.receivedBytes;
      return isQuiet ? WASTE_CHECK_MS.quiet : WASTE_CHECK_MS.receiving;
    };
    const look = () => {
      if (this.#endIfWasteful(connection, settings)) return;
      const leftMs = connection.active > 0 ? idleMs : idleAtMs + idleMs - clock.nowMs();
      if (leftMs > 0) timer = clock.setTimer(look, Math.min(leftMs, checkMs()), undefined);
      else {
        session.close();
        endSoon();
      }
    };
    let timer = clock.setTimer(look, Math.min(idleMs, WASTE_CHECK_MS.receiving), undefined);
    session.once('close', () => clock.cancelTimer(timer));
    session.on('goaway', () => process.nextTick(endSoon)); // Node closes the session right after it has said this
    connection.onIdle = () => {
      idleAtMs = clock.nowMs();
      endSoon();
    };
  }

  /** Heads that Node resets by itself, such as HPACK bombs, never become a request: only their bytes can be counted. */
  #endIfWasteful(connection: ClientConnection, settings: ListenerSettings): boolean {
    const { clock } = this.#deps;
    // The part of a body that a backend does not take yet is no waste; it fits into the window.
    const unreadBytesMax = connection.active > 0 ? settings.http2Settings.connectionWindowBytes : 0;
    if (!connection.isWasteful(unreadBytesMax, clock.nowMs())) return false;
    this.#deps.onCut(connection, 'flood');
    connection.destroy();
    return true;
  }
}
