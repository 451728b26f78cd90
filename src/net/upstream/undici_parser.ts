/**
 * Undici 8 treats a `100 Continue` that it has not asked for as a broken response, and has no option for it; RFC 9110
 * section 15.2 requires clients to skip any 1xx. So the callback of its parser gets another 1xx instead of 100, which
 * it skips like 102 and 103. The bytes are still parsed by llhttp, as undici drives it.
 */
import type { Socket } from 'node:net';

/** Replaces 100. The status has no meaning (IANA HTTP Status Code Registry). */
export const UNASKED_CONTINUE = 199;

interface Parser {
  onHeadersComplete(status: number, upgrade: boolean, shouldKeepAlive: boolean): number;
}

/**
 * Patches the parser of a connection that undici has just taken over. False: this version of undici keeps its parser
 * elsewhere.
 */
export function readPastContinue(socket: Socket): boolean {
  const parser = parserOf(socket);
  if (parser === null) return false;
  parser.onHeadersComplete = onHeadersComplete;
  return true;
}

function onHeadersComplete(this: Parser, status: number, upgrade: boolean, shouldKeepAlive: boolean): number {
  const own: Parser = Object.getPrototypeOf(this);
  return own.onHeadersComplete.call(
    this,
    status === 100 ? UNASKED_CONTINUE : status,
    upgrade,
    shouldKeepAlive,
  );
}

function parserOf(socket: Socket): Parser | null {
  const key = Object.getOwnPropertySymbols(socket).find(({ description }) => description === 'parser');
  const parser: unknown = key === undefined ? null : Reflect.get(socket, key);
  return isParser(parser) ? parser : null;
}

function isParser(value: unknown): value is Parser {
  return (
    typeof value === 'object' &&
    value !== null &&
    'onHeadersComplete' in value &&
    typeof value.onHeadersComplete === 'function'
  );
}
