/**
 * Picks a backend for one attempt.
 *
 * A first attempt takes any eligible backend that is ready. A repeated attempt takes one that it has not tried, as long as
 * health and circuit allow one, even if it has to wait for it. When none is left it takes one of a higher tier (a backup);
 * after that also one that it has tried: with a single endpoint there is no other.
 *
 * A backend in slow start is passed over more often the less warmed up it is, unless no other one is usable.
 */
import type { Clock } from '../resilience/clock.ts';
import type { Random } from '../resilience/random.ts';
import type { Backend } from './backend.ts';
import type { Policy } from './policy.ts';
import type { Rotation } from './rotation.ts';

const NONE: readonly Backend[] = [];

export class BackendPicker {
  readonly #policy: Policy<Backend>;
  readonly #clock: Clock;
  readonly #random: Random;
  #rotation: Rotation;
  /** Read by the predicates below, which are created once: a closure per pick would be one per request. */
  #tried = NONE;

  constructor(policy: Policy<Backend>, rotation: Rotation, clock: Clock, random: Random) {
    this.#policy = policy;
    this.#rotation = rotation;
    this.#clock = clock;
    this.#random = random;
  }

  setRotation(rotation: Rotation): void {
    this.#rotation = rotation;
    this.#policy.setEndpoints([...rotation.eligible]);
  }

  /** Null: none may be used at the moment. `tried` is empty for a first attempt. */
  pick(tried: readonly Backend[]): Backend | null {
    this.#tried = tried;
    const untried = this.#pickUsable();
    if (untried !== null || this.hasUntried(tried)) return untried;
    const backup = this.#rotation.standby.find(this.#isUsable);
    if (backup !== undefined || tried.length === 0) return backup ?? null;
    this.#tried = NONE;
    return this.#pickUsable();
  }

  /** Whether an eligible backend that is not in `tried` admits requests, now or when a connection comes free. */
  hasUntried(tried: readonly Backend[]): boolean {
    for (const backend of this.#rotation.eligible)
      if (backend.admits && !tried.includes(backend)) return true;
    return false;
  }

  #pickUsable(): Backend | null {
    const warm = this.#rotation.hasWarming ? this.#policy.pick(this.#passesSlowStart) : null;
    return warm ?? this.#policy.pick(this.#isUsable);
  }

  readonly #isUsable = (backend: Backend): boolean => backend.isReady && !this.#tried.includes(backend);

  /** A backend at a fifth of its warm-up takes one in five of the requests that it is picked for. */
  readonly #passesSlowStart = (backend: Backend): boolean =>
    this.#isUsable(backend) &&
    (backend.health.state !== 'warming' ||
      this.#random.unit() < backend.health.slowStartShare(this.#clock.nowMs()));
}
