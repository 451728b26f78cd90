/** A small valid configuration with one part replaced, and what is found wrong with it. */
import assert from 'node:assert/strict';
import { type LoadResult, loadConfigText } from '../../src/config/loader.ts';
import type { Problem } from '../../src/config/problems.ts';

export interface Parts {
  /** Other keys at the top. */
  readonly top?: string;
  readonly listeners?: string;
  readonly routes?: string;
  readonly clusters?: string;
}

/** Each part in flow style. */
export function textOf({ top, listeners, routes, clusters }: Parts): string {
  return [
    'version: 1',
    top ?? '',
    `listeners: ${listeners ?? '{ main: { address: 127.0.0.1:8080 } }'}`,
    `routes: ${routes ?? '[{ name: all, forward: { cluster: app } }]'}`,
    `clusters: ${clusters ?? '{ app: { endpoints: [127.0.0.1:9000] } }'}`,
    '',
  ].join('\n');
}

export function resultOf(parts: Parts | string, env: Readonly<Record<string, string>> = {}): LoadResult {
  return loadConfigText(typeof parts === 'string' ? parts : textOf(parts), '/etc/fairlead/test.yaml', env);
}

export function loadedFrom(parts: Parts | string, env: Readonly<Record<string, string>> = {}) {
  const result = resultOf(parts, env);
  if (result.kind === 'invalid') assert.fail(result.problems.map(({ message }) => message).join('\n'));
  assert(result.kind === 'loaded');
  return result;
}

/** Errors and warnings. */
export function problemsOf(
  parts: Parts | string,
  env: Readonly<Record<string, string>> = {},
): readonly Problem[] {
  const result = resultOf(parts, env);
  assert(result.kind !== 'unreadable');
  return result.kind === 'loaded' ? result.warnings : result.problems;
}

export function messagesOf(parts: Parts | string, env: Readonly<Record<string, string>> = {}): string[] {
  return problemsOf(parts, env).map(({ message }) => message);
}

/** Exactly one problem, which says this. */
export function assertOnly(parts: Parts | string, pattern: RegExp): void {
  const messages = messagesOf(parts);
  assert.equal(messages.length, 1, messages.join('\n'));
  assert.match(messages[0] ?? '', pattern);
}
