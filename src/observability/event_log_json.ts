/** An event as a line of JSON with all its facts, written by pino. */
import pino from 'pino';
import { escapeControls, JSON_TIMES } from './access_log.ts';
import type { EventFormat } from './event_level.ts';

/** Which events are written is decided before. */
export function jsonEventFormat(time: keyof typeof JSON_TIMES): EventFormat {
  let written = '';
  let atMs = 0;
  const timestamp = () => `,"time":${JSON_TIMES[time](atMs)}`;
  const write = (line: string) => {
    written = line;
  };
  const logger = pino({ base: null, timestamp }, { write });
  return (event, level, wallMs) => {
    const { kind, ...facts } = event;
    atMs = wallMs;
    logger[level]({ event: kind, ...facts });
    return escapeControls(written);
  };
}
