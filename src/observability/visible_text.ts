/**
 * Text for a terminal or a line of text. A terminal executes control characters, and some characters beyond ASCII change
 * the direction or the order of what is shown, so that a client could make a line say something else.
 */

/** What is not printable ASCII, as in the log of nginx: `\x1B`, and for characters beyond ASCII the bytes of their UTF-8. */
export function asciiOnly(text: string): string {
  return PRINTABLE.test(text) ? text : text.replace(/[^\x20-\x7e]/gu, escaped);
}

/** The same for controls, for line ends and for characters that change the direction. Names may be in any language. */
export function withoutControls(text: string): string {
  return text.replace(CONTROLS, escaped);
}

/** At most `lengthMax` characters, the last of which says that there were more. */
export function cut(text: string, lengthMax: number): string {
  return text.length <= lengthMax ? text : `${text.slice(0, Math.max(0, lengthMax - 1))}…`;
}

export function escaped(character: string): string {
  return [...Buffer.from(character)]
    .map(byte => `\\x${byte.toString(16).toUpperCase().padStart(2, '0')}`)
    .join('');
}

const PRINTABLE = /^[\x20-\x7e]*$/;
/** C0 and C1 (ECMA-48), and what Unicode Standard Annex 9 and its line breaks know. */
const CONTROLS = /[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;
