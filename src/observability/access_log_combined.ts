/**
 * The combined format of Apache and nginx, for tools that read nothing else; `json` contains far more. Text from
 * clients is escaped as in nginx, so that nobody can forge a line.
 */
import type { LineFormat } from './access_log.ts';
import { escaped } from './visible_text.ts';

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

export const combinedLine: LineFormat = (record, path, wallMs) => {
  const { clientIp, user, method, protocol, status, bytesOut, referer, userAgent } = record;
  const request = method === '' ? '-' : `${method} ${path} ${protocol}`;
  return (
    `${clientIp} - ${userName(user)} [${clfTime(wallMs)}] "${quoted(request)}" ${status} ${bytesOut} ` +
    `"${quoted(referer ?? '-')}" "${quoted(userAgent ?? '-')}"\n`
  );
};

/** Spaces are escaped, because a space ends the name for readers of this format. */
function userName(user: string | null): string {
  return user === null || user === '' ? '-' : quoted(user).replaceAll(' ', '\\x20');
}

/** `10/Oct/2000:13:55:36 +0000` */
function clfTime(wallMs: number): string {
  const date = new Date(wallMs);
  const two = (value: number): string => String(value).padStart(2, '0');
  const day = `${two(date.getUTCDate())}/${MONTHS[date.getUTCMonth()]}/${date.getUTCFullYear()}`;
  return `${day}:${two(date.getUTCHours())}:${two(date.getUTCMinutes())}:${two(date.getUTCSeconds())} +0000`;
}

/** Escapes quotes, backslashes, and everything that is not printable ASCII: `\\x22`. */
function quoted(text: string): string {
  return text.replace(/[^\x20\x21\x23-\x5b\x5d-\x7e]/gu, escaped);
}
