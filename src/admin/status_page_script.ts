/**
 * The script of the status page. It applies the changes that the stream sends (`page_delta.ts`) and keeps what belongs to the
 * reader: focus, selection, folds and the filter. It announces new problems to screen readers, and sends the buttons.
 */
export const SCRIPT = `
(() => {
  const byId = id => document.getElementById(id);
  const live = byId('live'), news = byId('news'), query = byId('q'), matches = byId('matches');
  const STALE_MS = 5000, HELD_MAX = 60;

  // ---- folds: what the reader has opened or closed stays so
  const chosen = new Map();
  const defaults = new Map();
  const settle = root => {
    for (const fold of [root, ...root.querySelectorAll('details')]) {
      if (fold.tagName !== 'DETAILS') continue;
      defaults.set(fold.id, fold.open);
      if (chosen.has(fold.id)) fold.open = chosen.get(fold.id);
    }
  };
  live.addEventListener('click', ({ target }) => {
    const fold = target.closest('summary')?.parentElement;
    if (fold) chosen.set(fold.id, !fold.open);
  });
  const show = () => {
    const target = byId(decodeURIComponent(location.hash.slice(1)));
    for (let fold = target?.closest('details'); fold; fold = fold.parentElement.closest('details')) {
      fold.open = true;
      chosen.set(fold.id, true);
    }
    target?.scrollIntoView();
  };
  addEventListener('hashchange', show);

  // ---- changes
  const nodesOf = text => {
    const template = document.createElement('template');
    template.innerHTML = text;
    return template.content;
  };
  const apply = ([id, what, rest]) => {
    const element = byId(id);
    if (element === null) return;
    if (Array.isArray(what)) {
      const fresh = nodesOf(rest);
      for (const one of fresh.children) settle(one);
      const known = new Map([...fresh.children, ...element.children].map(one => [one.id, one]).reverse());
      for (const one of fresh.children) known.set(one.id, one);
      // Only what is not in its place is moved: a node that moves loses the focus.
      const wanted = what.map(key => known.get(key));
      for (const one of [...element.children]) if (!wanted.includes(one)) one.remove();
      wanted.forEach((one, at) => {
        if (element.children[at] !== one) element.insertBefore(one, element.children[at] ?? null);
      });
    } else if (rest === 1) {
      const next = nodesOf(what).firstElementChild;
      settle(next);
      element.replaceWith(next);
    } else if (element.childElementCount === 0 && !what.includes('<') && !what.includes('&')) {
      if (element.firstChild?.nodeType === 3) element.firstChild.data = what;
      else element.textContent = what;
    } else {
      element.innerHTML = what;
      if (element.tagName !== 'TITLE') settle(element);
    }
  };
  const applyAll = changes => {
    const focused = document.activeElement?.id ?? '';
    for (const change of changes) apply(change);
    if (focused !== '' && document.activeElement?.id !== focused) byId(focused)?.focus({ preventScroll: true });
    if (changes.length > 0 && query.value !== '') filter();
    announce();
  };

  // ---- problems, for those who listen
  const said = () => [...document.querySelectorAll('.problems li')].map(({ textContent }) => textContent);
  const strip = text => text.replace(/[0-9.]+ (s|min|h|d|%|ms)/g, '');
  let before = said();
  const announce = () => {
    const now = said();
    const known = new Set(before.map(strip));
    const fresh = now.filter(text => !known.has(strip(text)));
    if (fresh.length > 0) news.textContent = fresh.join(' ');
    else if (now.length === 0 && before.length > 0) news.textContent = 'All problems are resolved.';
    before = now;
  };

  // ---- the stream
  const { frame } = document.body.dataset;
  const events = new EventSource('/status/events?frame=' + encodeURIComponent(frame));
  let held = [];
  let heardAt = Date.now();
  events.onmessage = ({ data, lastEventId }) => {
    // Another process, perhaps of another version: its page is another one.
    if (lastEventId.split('-')[0] !== frame.split('-')[0]) return location.reload();
    heardAt = Date.now();
    document.body.classList.remove('stale');
    held.push(JSON.parse(data));
    const selection = document.getSelection();
    const isSelecting = selection !== null && !selection.isCollapsed && live.contains(selection.anchorNode);
    if (isSelecting && held.length < HELD_MAX) return;
    applyAll(held.flat());
    held = [];
  };
  setInterval(() => {
    if (Date.now() - heardAt > STALE_MS) document.body.classList.add('stale');
  }, 1000);

  // ---- the filter
  const SOUGHT = 'tbody tr, details.cluster, details.failure, .problems li';
  const filter = () => {
    const words = query.value.toLowerCase().split(/\\s+/).filter(word => word !== '');
    // Cells and figures are words of their own: 'svc-3' beside '0.0' is not 'svc-30'.
    const textOf = element => [...element.children].map(one => one.textContent).join(' ') || element.textContent;
    const fits = text => words.every(word => text.toLowerCase().includes(word));
    let found = 0;
    const set = (element, isShown) => {
      if (element.hidden === isShown) element.hidden = !isShown;
    };
    for (const element of live.querySelectorAll(SOUGHT)) {
      if (element.tagName === 'DETAILS') continue;
      const fold = element.closest('details.cluster, details.failure');
      const all = fold === null ? '' : textOf(fold.querySelector('summary')) + ' ';
      const isShown = fits(all + textOf(element));
      set(element, isShown);
      if (isShown && words.length > 0) found++;
    }
    for (const fold of live.querySelectorAll('details')) {
      const isBare = fold.querySelector('tbody tr') === null && fits(fold.textContent);
      const rows = fold.querySelectorAll('tbody tr:not([hidden])').length;
      set(fold, words.length === 0 || rows > 0 || isBare);
      const isNamed = words.length > 0 && fits(textOf(fold.querySelector('summary')));
      fold.open = words.length > 0 && !isNamed ? rows > 0 : chosen.get(fold.id) ?? defaults.get(fold.id) ?? false;
    }
    matches.textContent = words.length === 0 ? '' : found + (found === 1 ? ' match' : ' matches');
  };
  query.addEventListener('input', () => {
    filter();
    const url = new URL(location.href);
    if (query.value === '') url.searchParams.delete('q');
    else url.searchParams.set('q', query.value);
    history.replaceState(null, '', url);
  });
  addEventListener('keydown', event => {
    const isTyping = event.target.closest?.('input') !== null;
    if (event.key === '/' && !isTyping && !event.ctrlKey && !event.metaKey && !event.altKey) {
      event.preventDefault();
      query.focus();
      query.select();
    } else if (event.key === 'Escape' && event.target === query) {
      query.value = '';
      query.dispatchEvent(new Event('input'));
      query.blur();
    }
  });

  // ---- the buttons: the same form as without scripts, without leaving the page
  const send = async (action, body) => {
    const response = await fetch(action, { method: 'POST', headers: { accept: 'application/json' }, body });
    return { status: response.status, ...(await response.json()) };
  };
  byId('act').addEventListener('submit', async event => {
    event.preventDefault();
    const button = event.submitter;
    const body = new URLSearchParams({ action: button.value });
    const path = button.getAttribute('formaction');
    button.disabled = true;
    try {
      let result = await send(path, body);
      if (result.status === 409 && confirm(result.error + ' Drain it?')) {
        body.set('confirmed', 'yes');
        result = await send(path, body);
      } else if (result.status === 409) result = { done: 'Nothing was changed' };
      news.textContent = (result.error ?? result.done) + '.' + (result.warning ? ' ' + result.warning + '.' : '');
    } catch (error) {
      news.textContent = 'The process did not respond: ' + error.message;
    }
    button.disabled = false;
  });

  settle(live);
  query.value = new URLSearchParams(location.search).get('q') ?? '';
  query.closest('label').hidden = false;
  if (query.value !== '') filter();
  if (location.hash !== '') show();
})();
`;
