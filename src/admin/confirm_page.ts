/** Asks a person whose browser runs no scripts whether to drain the last eligible endpoint of a cluster. */
import { html } from './html.ts';
import { smallPage } from './small_page.ts';

/** `path`: where the form goes. */
export function renderConfirmPage(question: string, path: string, nonce: string): string {
  const content = html`<form class="problems" method="post" action="${path}"><h2>Drain it?</h2><p>${question}</p><p><input type="hidden" name="action" value="drain"><button name="confirmed" value="yes">drain</button> <a href="/">back, nothing is changed</a></p></form>`;
  return smallPage('drain an endpoint', content, nonce);
}
