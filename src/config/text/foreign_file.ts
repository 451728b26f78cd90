/** Recognises the configuration file of another proxy, which is not YAML or a single long string of it. */

const FILES: readonly { readonly of: string; readonly all: readonly RegExp[] }[] = [
  {
    of: 'nginx',
    all: [
      /^[ \t]*(?:server|http|events|stream|upstream[ \t]+\S{1,99}|location[ \t][^\n{]{1,99}?)[ \t]*\{/m,
      /;[ \t]*(?:\}|$)/m,
    ],
  },
  {
    of: 'HAProxy',
    all: [
      /^(?:frontend|backend|listen|defaults|global)\b[^:\n]*$/m,
      /^[ \t]+(?:bind|server|mode|timeout|default_backend)[ \t]/m,
    ],
  },
  {
    of: 'Traefik, in TOML',
    all: [/^\[{1,2}(?:http|tcp|entryPoints|providers|api|log|certificatesResolvers)[\w."-]*\]{1,2}[ \t]*$/m],
  },
  {
    of: 'Caddy',
    all: [
      /^[^\n#{]{0,99}\{[ \t]*$/m,
      /^[ \t]+(?:reverse_proxy|file_server|respond|handle|handle_path|redir|tls|encode|route|root)\b/m,
    ],
  },
];

/** Only the beginning is looked at. */
const LOOK_MAX = 10_000;

/** `this looks like a configuration of nginx; ...`, or undefined. */
export function foreignFileHint(source: string): string | undefined {
  const beginning = source.slice(0, LOOK_MAX);
  const found = FILES.find(({ all }) => all.every(pattern => pattern.test(beginning)));
  if (found === undefined) return undefined;
  const [product = ''] = found.of.toLowerCase().split(',');
  return `this looks like a configuration of ${found.of}; Fairlead reads YAML with listeners, routes and clusters: see docs/coming-from-${product}.md`;
}
