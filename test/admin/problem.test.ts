import assert from 'node:assert/strict';
import { test } from 'node:test';
import { aboutCluster, aboutListener, type Problem, worstFirst } from '../../src/admin/problem.ts';

test('errors come first, notes last, and problems of one severity keep their order', () => {
  const one = (severity: Problem['severity'], text: string): Problem => ({
    severity,
    ...aboutCluster('a'),
    text,
    key: null,
  });
  const problems = [
    one('note', '1'),
    one('warning', '2'),
    one('error', '3'),
    one('warning', '4'),
    one('error', '5'),
  ];
  assert.deepEqual(
    worstFirst(problems).map(({ text }) => text),
    ['3', '5', '2', '4', '1'],
  );
});

test('a problem leads to the section of its cluster or listener', () => {
  assert.deepEqual(aboutCluster('a_b'), { subject: 'cluster a_b', anchor: '#cluster-a_b' });
  assert.deepEqual(aboutListener('main'), { subject: 'listener main', anchor: '#listener-main' });
});
