/**
 * An event for people: a sentence, and below it what belongs to it.
 *
 *   19:52:03.412 warn  app 10.0.0.1:8080 is unhealthy: connect_refused
 *   19:52:09.020 info  reloaded (SIGHUP): now running plan 1a2b3c4d5e6f, 1 change in 14 ms
 *                        routes.api.responseHeadMs changed
 */
import type { EventFormat } from './event_level.ts';
import { wordsOf } from './event_words.ts';
import { prettyTime } from './pretty_time.ts';
import type { Paint, Style } from './terminal.ts';
import { withoutControls } from './visible_text.ts';

const LEVEL_WIDTH = 5;
const STYLES = { info: 'cyan', warn: 'yellow', error: 'red' } as const satisfies Record<string, Style>;

export function prettyEventFormat(time: 'epoch' | 'iso', paint: Paint): EventFormat {
  return (event, level, wallMs) => {
    const clock = prettyTime(time, wallMs);
    const { sentence, more } = wordsOf(event);
    const text = withoutControls(sentence);
    const head = [
      paint(clock, 'dim'),
      paint(level.padEnd(LEVEL_WIDTH), STYLES[level]),
      level === 'info' ? text : paint(text, STYLES[level]),
    ];
    // A line that begins with spaces cannot be taken for another event.
    const indent = ' '.repeat(clock.length + LEVEL_WIDTH + 2 + 2);
    return [head.join(' '), ...more.map(line => `${indent}${withoutControls(line.trim())}`), ''].join('\n');
  };
}
