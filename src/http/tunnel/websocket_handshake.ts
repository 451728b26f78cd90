/** What a 101 response must contain before the client is told that it has a WebSocket (RFC 6455 section 4.1). */
import { createHash } from 'node:crypto';
import { findHeader, type HeaderList } from '../../security/headers.ts';

const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

/** What is wrong, as a sentence; null if the backend has accepted this handshake. */
export function handshakeProblem(request: HeaderList, response: HeaderList): string | null {
  const upgrade = findHeader(response, 'upgrade');
  if (upgrade?.toLowerCase() !== 'websocket')
    return `The 101 response switches to ${quoted(upgrade ?? '')}, not to websocket.`;
  return (
    acceptProblem(findHeader(request, 'sec-websocket-key'), findHeader(response, 'sec-websocket-accept')) ??
    protocolProblem(request, findHeader(response, 'sec-websocket-protocol')) ??
    extensionProblem(request, response)
  );
}

/** Without a key, which every browser sends, the backend has nothing to prove. */
function acceptProblem(key: string | null, accept: string | null): string | null {
  if (key === null) return null;
  if (accept === null) return 'The 101 response has no Sec-WebSocket-Accept.';
  const expected = createHash('sha1').update(`${key}${GUID}`).digest('base64');
  return accept === expected ? null : 'The Sec-WebSocket-Accept does not match the Sec-WebSocket-Key.';
}

function protocolProblem(request: HeaderList, chosen: string | null): string | null {
  if (chosen === null) return null;
  const offered = listOf(findHeader(request, 'sec-websocket-protocol'));
  return offered.includes(chosen) ? null : `The subprotocol ${quoted(chosen)} was not offered.`;
}

function extensionProblem(request: HeaderList, response: HeaderList): string | null {
  const offered = extensionsOf(request);
  const surplus = extensionsOf(response).find(name => !offered.includes(name));
  return surplus === undefined ? null : `The extension ${quoted(surplus)} was not offered.`;
}

/** Extension names without their parameters. */
function extensionsOf(headers: HeaderList): string[] {
  const items = listOf(findHeader(headers, 'sec-websocket-extensions'));
  return items.map(item => (item.split(';', 1)[0] as string).trim().toLowerCase());
}

function listOf(value: string | null): string[] {
  if (value === null) return [];
  return value
    .split(',')
    .map(item => item.trim())
    .filter(item => item !== '');
}

const QUOTED_CHARACTERS_MAX = 64;

function quoted(text: string): string {
  return JSON.stringify(text.slice(0, QUOTED_CHARACTERS_MAX));
}
