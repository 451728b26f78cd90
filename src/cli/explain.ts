/** `fairlead explain URL`: which route a request would take, why more specific ones did not match, and what the backend would receive. */

import { type Explanation, explainOffline, type Question } from '../admin/explain.ts';
import { withoutSecretValues } from '../security/secrets.ts';
import { EXIT } from './exit_codes.ts';
import { loadOrExplain } from './load.ts';

export async function runExplain(
  file: string,
  question: Question & { readonly json: boolean },
): Promise<number> {
  const loaded = await loadOrExplain(file);
  if (typeof loaded === 'number') return loaded;
  const explained = withoutSecretValues(
    explainOffline(loaded.plan, loaded.origins, question),
    loaded.secrets,
  );
  if ('error' in explained) {
    process.stderr.write(`fairlead: ${explained.error}\n`);
    return EXIT.usage;
  }
  process.stdout.write(question.json ? `${JSON.stringify(explained, null, 2)}\n` : render(explained));
  return explained.route === null ? EXIT.no : EXIT.ok;
}

function render(explained: Explanation): string {
  const { request, client } = explained;
  const lines = [
    `request    ${request.method} ${request.host}${request.path}${request.matchPath === request.path.split('?')[0] ? '' : `  (matched as ${request.matchPath})`}`,
    `listener   ${explained.listener}`,
    `client     ${client.ip}${client.from}`,
    `route      ${explained.route ?? `none: ${explained.refused?.status} ${explained.refused?.reason}`}`,
  ];
  for (const { route, reason } of explained.nearer) lines.push(`  not      ${route}: ${reason}`);
  if (explained.route !== null && explained.refused !== null)
    lines.push(
      `refused    ${explained.refused.status} ${explained.refused.reason}${explained.refused.origin === undefined ? '' : `  ${explained.refused.origin}`}`,
    );
  const { auth } = explained;
  if (auth !== null) lines.push(`login      ${auth.scheme}, realm "${auth.realm}"  ${auth.origin}`);
  if (explained.action !== null) lines.push(`action     ${JSON.stringify(explained.action)}`);
  if (explained.upstream !== null) {
    lines.push(
      `backend    ${request.method} ${explained.upstream.target}`,
      `           Host: ${explained.upstream.host}`,
    );
    const { headers } = explained.upstream;
    for (let at = 0; at + 1 < headers.length; at += 2)
      lines.push(`           ${headers[at]}: ${headers[at + 1]}`);
  }
  for (const { name, value, origin } of explained.limits)
    lines.push(`limit      ${name.padEnd(30)} ${String(value ?? 'off').padEnd(12)} ${origin}`);
  return `${lines.join('\n')}\n`;
}
