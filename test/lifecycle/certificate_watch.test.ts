// A certificate that ends is spoken of before it does.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CertificateWatch } from '../../src/lifecycle/certificate_watch.ts';
import type { Event } from '../../src/observability/events.ts';
import { server } from '../support/certificates.ts';
import { FakeClock } from '../support/fake_clock.ts';

const DAY_MS = 86_400_000;
const listener = {
  name: 'public',
  tls: { certificates: [{ certPem: server.cert, keyPem: server.key }], minVersion: 'TLSv1.2' as const },
};

/** The wall clock stands so many days before the end of the certificate. */
function watchBefore(days: number) {
  const clock = new FakeClock();
  const events: Event[] = [];
  const watch = new CertificateWatch(clock, event => events.push(event));
  watch.watch([listener]);
  const notAfterAtMs = watch.certificates[0]?.notAfterAtMs ?? 0;
  clock.advance(notAfterAtMs - days * DAY_MS - clock.wallMs());
  events.length = 0;
  watch.watch([listener]);
  return { clock, events, watch };
}

test('until three weeks before its end a certificate is only a figure', () => {
  const { events, watch } = watchBefore(22);
  assert.deepEqual(events, []);
  const [facts] = watch.certificates;
  assert.deepEqual([facts?.listener, facts?.subject], ['public', 'localhost']);
});

test('then a line a day says so, and that it is over when it is', () => {
  const { clock, events } = watchBefore(1.5);
  assert.equal(events.length, 1, 'at once, after a start or a reload');
  clock.advance(2 * DAY_MS);
  assert.deepEqual(
    events.map(event => event.kind === 'certificate' && [event.listener, event.expired]),
    [
      ['public', false],
      ['public', false],
      ['public', true],
    ],
  );
});

test('without certificates, and after the end, no timer is left', () => {
  const { clock, watch } = watchBefore(22);
  watch.watch([{ name: 'plain', tls: null }]);
  assert.equal(clock.pendingTimers, 0);
  watch.watch([listener]);
  watch.dispose();
  assert.equal(clock.pendingTimers, 0);
});
