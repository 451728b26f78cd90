/** An event in the Elastic Common Schema 8.11: ECS fields where there are some, `fairlead.*` for the other facts. */
import { escapeControls } from './access_log.ts';
import { ecsHead } from './ecs_head.ts';
import type { EventFormat } from './event_level.ts';
import { wordsOf } from './event_words.ts';

export const ecsEventLine: EventFormat = (event, level, wallMs) => {
  const { kind, ...facts } = event;
  const line: Record<string, unknown> = {
    ...ecsHead(wallMs, level, wordsOf(event).sentence),
    'event.dataset': 'fairlead.event',
    'event.action': kind,
  };
  for (const [name, value] of Object.entries(facts))
    if (value !== null && name !== 'message')
      line[ECS_FIELDS[name] ?? `fairlead.${snakeCase(name)}`] = plain(value);
  return `${escapeControls(JSON.stringify(line))}\n`;
};

/** Facts that ECS has a field for. */
const ECS_FIELDS: Readonly<Record<string, string>> = {
  version: 'service.version',
  requestId: 'http.request.id',
  userAgent: 'user_agent.original',
  detail: 'error.stack_trace',
  why: 'error.message',
  code: 'error.code',
};

function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, letter => `_${letter.toLowerCase()}`);
}

/**
 * Objects become lists of text. Elasticsearch makes a field of each of their keys, of which there must not be one for each
 * route, and refuses a line whose field has another type than before, as values of a configuration do.
 */
function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value;
  if (typeof value !== 'object' || value === null) return value;
  if ('first' in value && Array.isArray(value.first)) return value.first.map(item => JSON.stringify(item));
  return Object.entries(value).map(([name, count]) => `${name}: ${count}`);
}
