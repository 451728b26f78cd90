// A request that waits for a store and for a password, and the events that can happen meanwhile, in each order.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Admission } from '../../src/http/admission.ts';
import type { BoundRoute } from '../../src/http/data_plane.ts';
import type { RoutingContext } from '../../src/http/request.ts';
import type { Responder, Work } from '../../src/http/responder.ts';
import type { Failure } from '../../src/resilience/failure.ts';
import type { LoginVerdict } from '../../src/security/basic_auth.ts';
import type { StoreAnswer } from '../../src/security/limit_store.ts';
import type { RequestHead } from '../../src/security/request_head.ts';
import { FakeClock } from '../support/fake_clock.ts';

const OK: StoreAnswer = { kind: 'answered', answers: [] };
const USER: LoginVerdict = { kind: 'user', name: 'alice' };

interface Options {
  readonly store?: StoreAnswer | 'later';
  readonly login?: LoginVerdict | 'later';
  readonly hasBody?: boolean;
  readonly requestMs?: number | null;
  readonly deadlineAtMs?: number | null;
  readonly proceed?: () => Failure | null;
}

/** What is not said is not part of the route. */
function start({ store, login, hasBody = false, requestMs = null, deadlineAtMs = null, proceed }: Options) {
  const clock = new FakeClock();
  const log: string[] = [];
  let work: Work | null = null;
  let answerStore = (_answer: StoreAnswer): void => {};
  let answerLogin = (_verdict: LoginVerdict): void => {};
  const ask = <T>(name: string, given: T | 'later', keep: (answer: (value: T) => void) => void) => {
    return (_question: unknown, ...rest: unknown[]) => {
      const callback = rest.at(-1) as (value: T) => void;
      log.push(`asks ${name}`);
      keep(callback);
      if (given !== 'later') callback(given);
      return () => log.push(`gives up ${name}`);
    };
  };
  const route = {
    limits: { requestMs },
    storeLimits:
      store === undefined
        ? null
        : {
            store: { settings: { name: 'shared', onError: 'deny' } },
            limits: [],
            ask: ask<StoreAnswer>('store', store, callback => {
              answerStore = callback;
            }),
          },
    basicAuth:
      login === undefined
        ? null
        : {
            realm: 'r',
            check: ask<LoginVerdict>('login', login, callback => {
              answerLogin = callback;
            }),
          },
  } as unknown as BoundRoute;
  const responder = {
    heldBy: (held: Work) => {
      work = held;
      log.push('waits');
    },
    fail: (failure: Failure) => {
      log.push(`fails ${failure.kind}`);
      work?.cancel();
    },
    failInternally: (error: Error) => log.push(`defect ${error.message}`),
  } as unknown as Responder;
  const context = {
    clientIp: '192.0.2.1',
    startedAtMs: clock.nowMs(),
    deadlineAtMs,
    services: { clock, telemetry: {} },
    limitsAsked: null,
    limitOutcomes: null,
    user: null,
    firedTimeout: (name: string, ms: number) => ({ name, ms, origin: 'default' }),
  } as unknown as RoutingContext;
  const onAdmitted =
    proceed ??
    (() => {
      log.push('proceeds');
      return null;
    });
  const head = { hasBody, authority: 'a', headers: [] } as unknown as RequestHead;
  const admission = new Admission(context, responder, route, head, [], onAdmitted);
  admission.start();
  return {
    admission,
    clock,
    context,
    log,
    answerStore: (answer: StoreAnswer) => answerStore(answer),
    answerLogin: (verdict: LoginVerdict) => answerLogin(verdict),
  };
}

test('if store and login answer at once, the request continues synchronously, without a timer', () => {
  const { clock, context, log } = start({ store: OK, login: USER, requestMs: 1_000 });
  assert.deepEqual(log, ['asks store', 'asks login', 'proceeds']);
  assert.deepEqual([context.user, clock.pendingTimers], ['alice', 0]);
});

test('the store is asked first, and no password is checked for a request that it refuses', () => {
  const { log, answerStore, answerLogin, clock, context } = start({ store: 'later', login: 'later' });
  assert.deepEqual(log, ['asks store', 'waits']);
  clock.advance(7);
  answerStore(OK);
  clock.advance(5);
  answerLogin(USER);
  assert.deepEqual(log, ['asks store', 'waits', 'asks login', 'proceeds']);
  assert.equal(context.admissionMs, 12);
  const refused = start({ store: { kind: 'failed', cause: 'timeout' }, login: 'later' });
  assert.deepEqual(refused.log, ['asks store', 'fails limit_store_failed']);
});

test('each verdict on a password has its own failure', () => {
  for (const [kind, failure] of [
    ['refused', 'auth_required'],
    ['overloaded', 'overloaded'],
    ['failed', 'internal'],
  ] as const)
    assert.deepEqual(start({ login: { kind } }).log, ['asks login', `fails ${failure}`]);
});

test('a client that leaves cancels the question in progress, and a late answer changes nothing', () => {
  const one = start({ store: 'later', login: USER, requestMs: 1_000 });
  one.admission.cancel();
  one.answerStore(OK);
  assert.deepEqual(one.log, ['asks store', 'waits', 'gives up store']);
  assert.equal(one.clock.pendingTimers, 0);
  const other = start({ store: OK, login: 'later' });
  other.admission.cancel();
  other.answerLogin(USER);
  assert.deepEqual(other.log, ['asks store', 'asks login', 'waits', 'gives up login']);
});

test('the time limit of the request holds, or the deadline that came with it if that is sooner', () => {
  const { clock, log } = start({ login: 'later', requestMs: 100 });
  clock.advance(99);
  assert.deepEqual(log, ['asks login', 'waits']);
  clock.advance(1);
  assert.deepEqual(log.slice(2), ['fails request_timeout', 'gives up login']);
  const sooner = start({ login: 'later', requestMs: 100, deadlineAtMs: 1_050 });
  sooner.clock.advance(50);
  assert.equal(sooner.log[2], 'fails request_timeout');
});

test('a request with a body is not complete yet: only a deadline that came with it holds', () => {
  const { clock, log } = start({ login: 'later', hasBody: true, requestMs: 100 });
  clock.advance(100_000);
  assert.deepEqual(log, ['asks login', 'waits']);
  const bound = start({ login: 'later', hasBody: true, requestMs: 100, deadlineAtMs: 1_500 });
  bound.clock.advance(500);
  assert.equal(bound.log[2], 'fails request_timeout');
});

test('a defect after the answer of a store costs only this request', () => {
  const { log, answerStore } = start({
    store: 'later',
    proceed: () => {
      throw new Error('a defect');
    },
  });
  answerStore(OK);
  assert.equal(log.at(-1), 'defect a defect');
});

test('a failure after the admission is the failure of the request', () => {
  assert.deepEqual(start({ login: USER, proceed: () => ({ kind: 'no_route' }) }).log, [
    'asks login',
    'fails no_route',
  ]);
});
