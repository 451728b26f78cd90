// Who the spans are from: the configuration, then the variables of OpenTelemetry, then the default.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  attributeNameProblem,
  attributeValueProblem,
  RESOURCE_ATTRIBUTES_MAX,
  resourceOf,
} from '../../src/observability/otlp_resource.ts';

const fromVariable = (text: string) => resourceOf({}, { OTEL_RESOURCE_ATTRIBUTES: text });

test('without anything the service is fairlead', () => {
  const { attributes, fromEnvironment, ignored } = resourceOf({}, {});
  assert.deepEqual([attributes, [...fromEnvironment], ignored], [{ 'service.name': 'fairlead' }, [], null]);
  assert.deepEqual(resourceOf({}, { OTEL_SERVICE_NAME: ' ', OTEL_RESOURCE_ATTRIBUTES: '' }).attributes, {
    'service.name': 'fairlead',
  });
});

test('the configuration takes precedence over OTEL_SERVICE_NAME, and that over OTEL_RESOURCE_ATTRIBUTES', () => {
  const env = {
    OTEL_SERVICE_NAME: 'edge',
    OTEL_RESOURCE_ATTRIBUTES: 'service.name=other,zone=a,host.name=h1',
  };
  const { attributes, fromEnvironment } = resourceOf({ zone: 'b' }, env);
  assert.deepEqual(Object.entries(attributes), [
    ['host.name', 'h1'],
    ['service.name', 'edge'],
    ['zone', 'b'],
  ]);
  assert.deepEqual(
    [...fromEnvironment],
    [
      ['service.name', 'OTEL_SERVICE_NAME'],
      ['host.name', 'OTEL_RESOURCE_ATTRIBUTES'],
    ],
  );
  assert.equal(resourceOf({ 'service.name': 'mine' }, env).attributes['service.name'], 'mine');
  assert.equal(fromVariable('service.name=other').attributes['service.name'], 'other');
});

test('names and values are percent-decoded UTF-8, without the spaces around them', () => {
  const { attributes, ignored } = fromVariable(' a = x%2Cy%3D1 , b%2Ec=%C3%A9,, d=,e=1=2, ');
  assert.equal(ignored, null);
  assert.deepEqual(attributes, {
    a: 'x,y=1',
    'b.c': 'é',
    d: '',
    e: '1=2',
    'service.name': 'fairlead',
  });
});

test('one mistake discards the whole variable and is named', () => {
  for (const [text, why] of [
    ['a=1,b', /^"b" has no "="$/],
    ['a=1,b=%zz', /^"b=%zz" is not percent-encoded UTF-8$/],
    ['a=1,b=%ff', /not percent-encoded UTF-8/],
    ['a=1,=2', /^the name of an attribute is missing$/],
    ['a=1,b c=2', /^"b c" is not the name of an attribute/],
    [`a=1,b=${'x'.repeat(4_097)}`, /at most 4096 characters/],
    [Array.from({ length: RESOURCE_ATTRIBUTES_MAX + 1 }, (_, at) => `a${at}=1`).join(), /129 attributes/],
  ] as const) {
    const { attributes, ignored } = fromVariable(text);
    assert.match(String(ignored), why);
    assert.deepEqual(attributes, { 'service.name': 'fairlead' }, text);
  }
});

test('names are short printable ASCII, values are short', () => {
  assert.equal(attributeNameProblem('deployment.environment.name'), null);
  assert.match(String(attributeNameProblem('ä')), /is not the name of an attribute/);
  assert.match(String(attributeNameProblem('a'.repeat(256))), /at most 255/);
  assert.equal(attributeValueProblem('x'.repeat(4_096)), null);
});
