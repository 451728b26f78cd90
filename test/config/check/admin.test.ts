// The admin API beyond this machine asks for a token.
import { test } from 'node:test';
import { assertOnly, loadedFrom } from '../config_text.ts';

const admin = (text: string) => ({ top: `admin: { ${text} }` });

test('without a token only this machine can reach it', () => {
  for (const address of ['0.0.0.0:9901', '"[::]:9901"', '10.0.0.1:9901', 'admin.test:9901'])
    assertOnly(admin(`address: ${address}`), /reachable from other machines .* add admin\.token/);
  for (const address of ['127.0.0.1:9901', '"[::1]:9901"', 'localhost:9901', '"unix:/run/admin.sock"'])
    loadedFrom(admin(`address: ${address}`));
  loadedFrom(admin('address: 0.0.0.0:9901, token: 0123456789abcdef'));
});

test('a token is long enough, and one word', () => {
  for (const token of ['short', '"0123456789 abcdef"'])
    assertOnly(admin(`address: 127.0.0.1:9901, token: ${token}`), /at least 16 printable ASCII characters/);
});
