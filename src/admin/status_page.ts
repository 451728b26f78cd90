/**
 * The status page, for a person who looks at it when something is wrong: problems come first, in words, the worst on top.
 *
 * The server renders all of it, so that it is readable without scripts. Everything that changes is in parts, whose
 * differences `status_stream.ts` sends and `status_page_script.ts` applies.
 */
import { counted } from '../observability/number_text.ts';
import { type Content, Html, html, type Part, slot } from './html.ts';
import type { Problem } from './problem.ts';
import { duration, time } from './status_format.ts';
import { clusters, eligibleWords } from './status_page_clusters.ts';
import { failures } from './status_page_failures.ts';
import { listeners } from './status_page_listeners.ts';
import { routes } from './status_page_routes.ts';
import { SCRIPT } from './status_page_script.ts';
import { stores } from './status_page_stores.ts';
import { STYLE } from './status_page_style.ts';

import { tiles } from './status_page_tiles.ts';
import { problemsOf } from './status_problems.ts';
import type { RenderedPage } from './status_stream.ts';
import type { PageView } from './status_view.ts';

const PROBLEMS_SHOWN = 12;

/** The page at one moment. */
export class StatusPage implements RenderedPage {
  readonly #view: PageView;
  /** By the id of the element that each fills. */
  readonly #slots: ReadonlyMap<string, Part>;

  constructor(view: PageView) {
    const problems = problemsOf(view);
    const contents: Readonly<Record<string, Content>> = {
      title: titleOf(view, problems),
      facts: facts(view),
      summary: summary(view, problems),
      tiles: tiles(view),
      's-failures': failures(view.failureGroups),
      's-clusters': clusters(view.clusters),
      's-routes': routes(view.routes),
      's-listeners': listeners(view),
      's-stores': stores(view.stores),
    };
    this.#view = view;
    this.#slots = new Map(Object.entries(contents).map(([id, content]) => [id, slot(id, content)]));
  }

  get instance(): string {
    return this.#view.instance;
  }

  get parts(): readonly Part[] {
    return [...this.#slots.values()];
  }

  /**
   * The whole document. `nonce` allows its own style and script, and no other; `frame` is the name of this moment, from which
   * the stream continues.
   */
  document(nonce: string, frame: string): string {
    const { host, pid, instance, version } = this.#view;
    const part = (id: string): Content => this.#slots.get(id) ?? '';
    const section = (name: string): Html =>
      html`<section id="s-${name}" aria-labelledby="${name}">${part(`s-${name}`)}</section>`;
    return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title id="title">${part('title')}</title>
<noscript><meta http-equiv="refresh" content="30"></noscript>
<style nonce="${nonce}">${new Html(STYLE)}</style>
</head>
<body data-frame="${frame}">
<header>
<h1>Fairlead <b>${host}</b></h1>
<p class="who">pid ${pid} · instance ${instance} · ${version}</p>
<label class="search" hidden><span class="unseen">Filter clusters, endpoints, routes and failures</span><input id="q" type="search" placeholder="Filter  ( / )" autocomplete="off" spellcheck="false" aria-keyshortcuts="/"><output id="matches" for="q"></output></label>
</header>
<p id="news" role="status" aria-live="polite"></p>
<form id="act" method="post" action="/"></form>
<div id="live">
<dl id="facts" class="about">${part('facts')}</dl>
<main>
<section id="summary" aria-labelledby="problems">${part('summary')}</section>
<section id="tiles" class="tiles" aria-label="The last 60 seconds">${part('tiles')}</section>
${['failures', 'clusters', 'routes', 'listeners', 'stores'].map(section)}
</main>
</div>
<script nonce="${nonce}">${new Html(SCRIPT)}</script>
</body>
</html>
`.text;
  }
}

function titleOf({ host }: PageView, problems: readonly Problem[]): string {
  return `${problems.length > 0 ? `● ${counted(problems.length, 'problem')} · ` : ''}${host} · Fairlead`;
}

function facts(view: PageView): Html {
  const { lastReload, phase, readiness } = view;
  const reload =
    lastReload === null
      ? html`none since the start`
      : html`<span class="${lastReload.result.kind === 'rejected' ? 'bad' : ''}">${lastReload.result.kind}</span> ${time(lastReload.at)} (${lastReload.trigger})`;
  const ready = readiness.ready
    ? html`yes`
    : html`<span class="bad">no: ${readiness.reasons.join('; ')}</span>`;
  const fact = (id: string, name: string, value: Content): Html =>
    html`<div><dt>${name}</dt><dd id="${id}">${slot(id, value)}</dd></div>`;
  return html`${[
    fact(
      'a-phase',
      'state',
      html`<span class="${phase === 'serving' ? 'good' : 'bad'}">${phase.replace('_', ' ')}</span>`,
    ),
    fact('a-ready', 'ready', ready),
    fact('a-up', 'up', duration(view.uptimeMs)),
    fact('a-plan', 'plan', html`<a id="plan" href="/plan"><code>${view.plan.slice(0, 12)}</code></a>`),
    fact('a-reload', 'last reload', reload),
  ]}`;
}

function summary(view: PageView, problems: readonly Problem[]): Html {
  if (problems.length === 0)
    return html`<div class="calm"><h2 id="problems">No problems</h2><p>${eligibleWords(view.clusters)}</p></div>`;
  const more = problems.length - PROBLEMS_SHOWN;
  return html`<div class="problems"><h2 id="problems">${counted(problems.length, 'problem')}</h2><ul>${problems
    .slice(0, PROBLEMS_SHOWN)
    .map(problem)}</ul>${more > 0 ? html`<p>and ${more} more, further down</p>` : ''}</div>`;
}

/** Its id is that of its place, so that a sentence whose seconds have changed is sent alone. */
function problem({ severity, text, anchor, key }: Problem, at: number): Html {
  const id = `p${at}`;
  const sentence = anchor === null ? html`${text}` : html`<a href="${anchor}">${text}</a>`;
  const words = key === null ? sentence : html`${sentence} <code>${key}</code>`;
  return html`<li id="${id}" class="${severity}">${slot(id, words)}</li>`;
}
