/**
 * Short forms of settings: `hosts: x` for `hosts: [x]`, `forward: app` for `forward: { cluster: app }`, and `tls: { certFile, keyFile }`
 * for its one certificate. The schema makes the long form of them, so the rest of the program knows only that. This finds where the
 * text has what the long form speaks of.
 */
import type { Path } from './path.ts';

/** The path in the text of a path in the long form; the same one if it is no short form. */
export function writtenPath(path: Path, at: (path: Path) => unknown): Path {
  const written: (string | number)[] = [];
  for (let index = 0; index < path.length; index++) {
    const part = path[index] as string | number;
    const last = written.at(-1);
    if (part === 0 && isScalar(at(written))) continue;
    if (part === 'cluster' && last === 'forward' && isScalar(at(written))) continue;
    if (part === 'certificates' && last === 'tls' && path[index + 1] === 0 && isOneCertificate(at(written))) {
      index++;
      continue;
    }
    written.push(part);
  }
  return written.length === path.length ? path : written;
}

function isScalar(value: unknown): boolean {
  return value !== undefined && typeof value !== 'object';
}

function isOneCertificate(tls: unknown): boolean {
  return (
    typeof tls === 'object' &&
    tls !== null &&
    !Object.hasOwn(tls, 'certificates') &&
    Object.hasOwn(tls, 'certFile')
  );
}
