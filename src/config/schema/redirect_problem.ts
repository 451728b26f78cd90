/** Why a text is not the target of a redirect, with the line to write for the placeholders of other proxies. */
import { redirectProblem } from '../../routing/rewrite.ts';

/** What others call the parts of a request. Longer ones come first, because one may begin like another. */
const PLACEHOLDERS: readonly (readonly [pattern: RegExp, ours: string])[] = [
  // nginx
  [/\$scheme:\/\//g, 'https://'],
  [/\$(?:http_host|host|server_name)\b/g, '{host}'],
  [/\$request_uri\b/g, '{path}{query}'],
  [/\$(?:document_uri|uri)\b/g, '{path}'],
  [/\$is_args\$(?:args|query_string)\b|\?\$(?:args|query_string)\b/g, '{query}'],
  // Caddy
  [/\{(?:http\.request\.)?scheme\}:\/\//g, 'https://'],
  [/\{(?:http\.request\.)?(?:hostport|host)\}/g, '{host}'],
  [/\{(?:http\.request\.uri\.path|http\.request\.orig_uri\.path|path)\}/g, '{path}'],
  [/\?\{(?:http\.request\.uri\.query|query)\}/g, '{query}'],
  [/\{(?:http\.request\.)?(?:orig_)?uri\}/g, '{path}{query}'],
  // HAProxy, Apache
  [/%\[(?:req\.)?hdr\(host\)\]/gi, '{host}'],
  [/%\[(?:pathq|capture\.req\.uri|url)\]/g, '{path}{query}'],
  [/%\[path\]/g, '{path}'],
  [/%\[query\]/g, '{query}'],
  [/%\{HTTP_HOST\}|%\{SERVER_NAME\}/g, '{host}'],
  [/%\{REQUEST_URI\}/g, '{path}'],
];

/** Groups of a regex: `$1`, `${1}`, `\1`, `{re.name.1}`. */
const GROUP = /\$\{?\d\}?|\\\d|\{(?:http\.regexp|re)\.[^}]*\}/;

/** Null if the text can be a target. */
export function redirectTargetProblem(to: string): string | null {
  const group = GROUP.exec(to)?.[0];
  if (group !== undefined)
    return `${group} is a group of a regex, which a redirect does not have; it has {path}, {query} and {host}`;
  const ours = redirectTarget(to);
  if (ours !== to)
    return redirectProblem(ours) === null ? explain(to, ours) : (redirectProblem(to) ?? explain(to, ours));
  const problem = redirectProblem(to);
  if (problem === null) return null;
  return /^[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+(?::\d+)?(?:[/{]|$)/.test(to) &&
    redirectProblem(`https://${to}`) === null
    ? `${problem}; write "https://${to}"`
    : problem;
}

/** The target with the placeholders of Fairlead in the place of those of other proxies. */
export function redirectTarget(to: string): string {
  return PLACEHOLDERS.reduce((text, [pattern, placeholder]) => text.replace(pattern, placeholder), to);
}

function explain(to: string, ours: string): string {
  if (/\?\{query\}/.test(to)) return `{query} includes its question mark; write "${ours}"`;
  return `the parts of the request are {host}, {path} and {query}; write "${ours}"`;
}
