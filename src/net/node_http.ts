/**
 * Node's HTTP. Not imported: an import reads every name that `node:http` exports, WebSocket among them, and that loads Node's
 * own copy of undici (docs/performance.md, "Start").
 */
export const http = process.getBuiltinModule('node:http');
