/**
 * Whether the client of one request keeps up the minimum rates while it sends the body and while it reads the response.
 * Checked once a second (`slow_clients.ts`). Only this time counts:
 *
 *   upload     the body is being read, the backend takes it, and the response has not begun (after that, a stream in both
 *              directions may be silent for any time)
 *   download   bytes wait for the client, and no earlier response goes first
 */
import { MinimumRate } from '../resilience/minimum_rate.ts';
import type { RouteLimits } from '../routing/route.ts';

/** The state of the request at the moment of a check. */
export interface PacedRequest {
  /** The body is read as fast as it comes, and has not ended. */
  readonly waitsForBody: boolean;
  /** Bytes of the body so far. */
  readonly bytesIn: number;
  /** Bytes of the response that the client has taken so far, and whether more wait for it. */
  readonly takenBytes: number;
  readonly waitsForReader: boolean;
  /** Bytes taken on the whole connection, where streams share it (`Peer.takenBytes`). */
  readonly connectionTakenBytes: number;
}

type PaceTimer = 'minUploadRate' | 'minDownloadRate';

export class RequestPace {
  #upload: MinimumRate | null = null;
  #download: MinimumRate | null = null;
  #takenBytes = 0;
  #connectionTakenBytes = 0;
  #progressBytes = 0;

  /** Returns the rate that the client has fallen too far behind; null: it keeps up. */
  look(request: PacedRequest, limits: RouteLimits, nowMs: number): PaceTimer | null {
    if (this.#isUploadSlow(request, limits, nowMs)) return 'minUploadRate';
    return this.#isDownloadSlow(request, limits, nowMs) ? 'minDownloadRate' : null;
  }

  #isUploadSlow({ waitsForBody, bytesIn }: PacedRequest, limits: RouteLimits, nowMs: number): boolean {
    const { uploadBytesPerSecondMin: min, rateGraceMs } = limits;
    if (min === null || (this.#upload === null && !waitsForBody)) return false;
    this.#upload ??= new MinimumRate(min, rateGraceMs, nowMs, bytesIn);
    return this.#upload.isTooSlow(nowMs, waitsForBody, bytesIn);
  }

  #isDownloadSlow(request: PacedRequest, limits: RouteLimits, nowMs: number): boolean {
    const { downloadBytesPerSecondMin: min, rateGraceMs } = limits;
    const { waitsForReader } = request;
    if (min === null || (this.#download === null && !waitsForReader)) return false;
    this.#noteProgress(request);
    this.#download ??= new MinimumRate(min, rateGraceMs, nowMs, this.#progressBytes);
    return this.#download.isTooSlow(nowMs, waitsForReader, this.#progressBytes);
  }

  /** Streams share their connection: while another stream moves, this one has to wait, which is not the fault of the client. */
  #noteProgress({ takenBytes, connectionTakenBytes }: PacedRequest): void {
    const own = takenBytes - this.#takenBytes;
    const shared = connectionTakenBytes - this.#connectionTakenBytes;
    this.#progressBytes += Math.max(0, own, shared);
    this.#takenBytes = Math.max(this.#takenBytes, takenBytes);
    this.#connectionTakenBytes = Math.max(this.#connectionTakenBytes, connectionTakenBytes);
  }
}
