/** What a route changes in a request and its response, and who may use it, in the words of the file, with the line of each. */

import type { SettingOrigins } from '../http/data_plane.ts';
import type { ListenerSettings } from '../http/listener_settings.ts';
import type { RouteSettings } from '../routing/route.ts';
import type { HeaderEdits } from '../security/headers.ts';
import { isSecretName, MASK } from '../security/secrets.ts';
import { listText } from './name_list.ts';
import type { SettingGroup, ShownSetting } from './settings_in_force.ts';

/** Only what is set: no list that is empty, no rewrite that is off. `route` null: no route has matched. */
export function describeEdits(
  route: RouteSettings | null,
  listener: ListenerSettings,
  origins: SettingOrigins,
): readonly ShownSetting[] {
  const shown = (group: SettingGroup, key: string, text: string, path = key): ShownSetting => ({
    group,
    key,
    text,
    origin: origins.get(path),
  });
  const lists = (at: string, { allow, deny }: ListenerSettings['access']) =>
    [
      { key: `${at}.access.deny`, networks: deny },
      { key: `${at}.access.allow`, networks: allow },
    ]
      .filter(({ networks }) => networks.length > 0)
      .map(({ key, networks }) => shown('access', key, listText(networks)));

  const own = `listeners.${listener.name}`;
  const { trustedProxies } = listener;
  const settings = lists(own, listener.access);
  if (trustedProxies.length > 0)
    settings.push(shown('access', `${own}.trustedProxies`, listText(trustedProxies)));
  if (route === null) return settings;
  const at = `routes.${route.name}`;
  settings.push(...lists(at, route.access));
  for (const [key, text] of rewritesOf(route)) settings.push(shown('rewrite', `${at}.rewrite.${key}`, text));
  for (const side of ['request', 'response'] as const)
    for (const [key, text, path] of editsOf(route.headers[side]))
      settings.push(shown('headers', `${at}.headers.${side}.${key}`, text, `${at}.headers.${side}.${path}`));
  return settings;
}

function rewritesOf({ rewrite }: RouteSettings): [key: string, text: string][] {
  const { regex } = rewrite;
  const texts = {
    replacePath: rewrite.replacePath,
    stripPrefix: rewrite.stripPrefix,
    regex: regex === null ? null : `${regex.pattern} with ${regex.with}`,
    addPrefix: rewrite.addPrefix,
    host: rewrite.host,
  };
  return Object.entries(texts).flatMap(([key, text]) => (text === null ? [] : [[key, text]]));
}

function editsOf({ remove, set, add }: HeaderEdits): [key: string, text: string, path: string][] {
  const named = (key: 'set' | 'add', edits: HeaderEdits['set']) =>
    edits.map(([name, value]): [string, string, string] => [
      `${key}.${name}`,
      isSecretName(name) ? MASK : value,
      key,
    ]);
  const removed: [string, string, string][] =
    remove.length === 0 ? [] : [['remove', listText(remove), 'remove']];
  return [...removed, ...named('set', set), ...named('add', add)];
}
