import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ActiveRequests, countByRoute } from '../../src/http/active_requests.ts';
import { seededRandom } from '../support/seeded_random.ts';

test('it holds exactly those that came and have not gone, against a Set as the model', () => {
  const seed = 5;
  const random = seededRandom(seed);
  const subject = new ActiveRequests<{ activeIndex: number }>();
  const model = new Set<{ activeIndex: number }>();
  for (let step = 0; step < 5_000; step++) {
    if (random.unit() < 0.52) {
      const member = { activeIndex: -1 };
      subject.add(member);
      model.add(member);
    } else {
      const member = [...model][Math.floor(random.unit() * model.size)];
      if (member === undefined) continue;
      subject.remove(member);
      model.delete(member);
    }
    assert.equal(subject.size, model.size, `seed ${seed}, step ${step}`);
  }
  assert.deepEqual(new Set(subject.list()), model);
});

test('they are counted by route, those without one too', () => {
  const requests = ['api', null, 'web', 'api'].map(route => ({ route }));
  assert.deepEqual(countByRoute(requests), { api: 2, '-': 1, web: 1 });
  assert.deepEqual(countByRoute([]), {});
});
