/** Short YAML for messages: what a value looks like in flow style, and the address in it. */
import { parseAddress } from '../../net/address.ts';

/** Longer text is not repeated in a message. */
const LENGTH_MAX = 120;

/** A value in flow style, quoted where YAML needs it; `...` for what is too long to repeat. */
export function flow(value: unknown): string {
  const text = write(value);
  return text.length > LENGTH_MAX ? '...' : text;
}

function write(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(write).join(', ')}]`;
  if (typeof value === 'object' && value !== null) {
    const pairs = Object.entries(value).map(([key, inner]) => `${write(key)}: ${write(inner)}`);
    return pairs.length === 0 ? '{}' : `{ ${pairs.join(', ')} }`;
  }
  if (typeof value !== 'string') return String(value);
  return isPlain(value) ? value : JSON.stringify(value);
}

/** Text that YAML reads as itself, in any place. */
function isPlain(text: string): boolean {
  return (
    /^[A-Za-z0-9_./][\w./@%+=-]*(?::[\w./-]+)*$/.test(text) && !/^(?:[\d.]+|true|false|null)$/i.test(text)
  );
}

/** Whether it can be the name of a cluster. */
export function isName(value: unknown): value is string {
  return typeof value === 'string' && /^[A-Za-z][\w-]{0,63}$/.test(value);
}

/** `http://h:80/x` has the address `h:80`; null if there is none. */
export function hostPortOf(value: unknown): string | null {
  if (typeof value === 'number') return value > 0 && value < 65_536 ? `127.0.0.1:${value}` : null;
  if (typeof value !== 'string' || value.length > LENGTH_MAX) return null;
  const [, scheme = '', rest = ''] = /^(https?:\/\/)?([^/?#\s]+)/i.exec(value) ?? [];
  const local = /^:\d+$/.test(rest) ? `127.0.0.1${rest}` : rest;
  const candidates = [local, ...(scheme === '' ? [] : [`${local}:${/^https/i.test(scheme) ? 443 : 80}`])];
  return candidates.find(text => typeof parseAddress(text) !== 'string') ?? null;
}
