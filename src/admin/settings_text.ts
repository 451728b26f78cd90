/** Settings as lines for people: `listeners.public.timeouts.head: 10s (edge.yaml:12)`, grouped by what they are about. */

import type { SettingGroup, ShownSetting } from './settings_in_force.ts';

/** In this order: what decides first, then what changes the request, then what may end it. */
const GROUPS: Readonly<Record<SettingGroup, string>> = {
  access: 'access',
  rewrite: 'rewrite',
  headers: 'headers',
  rates: 'rate limit',
  limits: 'limits',
  timeouts: 'timeouts',
  retries: 'retries',
  pool: 'pool',
  circuit: 'circuit',
};

/** The label of a line of an explanation has this width. */
export const LABEL_WIDTH = 11;

export function labelled(label: string, text: string): string {
  return `${label.padEnd(LABEL_WIDTH)}${text}`;
}

export function renderSettings(settings: readonly ShownSetting[]): string[] {
  return Object.entries(GROUPS).flatMap(([group, label]) =>
    settings
      .filter(setting => setting.group === group)
      .map((setting, at) => labelled(at === 0 ? label : '', settingText(setting))),
  );
}

export function settingText({ key, text, origin }: Pick<ShownSetting, 'key' | 'text' | 'origin'>): string {
  return `${key}: ${text} (${placeText(origin)})`;
}

/** `edge.yaml:12:5` is `edge.yaml:12`: a line is found without its column. A note in parentheses stays. */
export function placeText(origin: string): string {
  const [, place, note] = /^(.*:\d+):\d+(?: \((.*)\))?$/.exec(origin) ?? [];
  if (place === undefined) return origin;
  return note === undefined ? place : `${place}, ${note}`;
}
