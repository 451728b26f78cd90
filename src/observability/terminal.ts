/** Terminals, and what they are told to show text in colour. */
import { isatty } from 'node:tty';

export interface Terminal {
  readonly hasColor: boolean;
}

/** Null: the descriptor is a file, a pipe or a socket. */
export function terminalAt(fd: number, env: Readonly<Partial<Record<string, string>>>): Terminal | null {
  return isatty(fd) ? { hasColor: wantsColor(env) } : null;
}

/** https://no-color.org; a terminal without a name may understand nothing. */
export function wantsColor(env: Readonly<Partial<Record<string, string>>>): boolean {
  const terminal = env['TERM'] ?? '';
  return (env['NO_COLOR'] ?? '') === '' && terminal !== '' && terminal !== 'dumb';
}

/** SGR parameters (ECMA-48 section 8.3.117) that switch a style on and off. */
const STYLES = {
  bold: [1, 22],
  dim: [2, 22],
  red: [31, 39],
  green: [32, 39],
  yellow: [33, 39],
  cyan: [36, 39],
} as const;

export type Style = keyof typeof STYLES;
/** Text in a style. */
export type Paint = (text: string, style: Style) => string;

export function painter(hasColor: boolean): Paint {
  if (!hasColor) return text => text;
  return (text, style) => {
    const [on, off] = STYLES[style];
    return text === '' ? '' : `\x1b[${on}m${text}\x1b[${off}m`;
  };
}
