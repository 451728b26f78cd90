/**
 * The parts of undici that the proxy uses. Its index loads everything else too: fetch, WebSocket, caches, mocks, 9 MB
 * (docs/performance.md, "Start").
 */
declare module 'undici/lib/dispatcher/client.js' {
  import { Client } from 'undici';
  export default Client;
}
declare module 'undici/lib/core/errors.js' {
  import { errors } from 'undici';
  export default errors;
}
