/**
 * Converts the text of a scrape to OpenMetrics 1.0, for scrapers that ask for it.
 *
 * prom-client can write it too, but renames its counters for good: the next scraper of the other format would find them
 * without `_total`. The formats differ little, so the text is converted instead.
 * Source: OpenMetrics 1.0, section "Text format": no empty lines, `_total` only on the sample, `# EOF` at the end.
 */
export const OPENMETRICS_TYPE = 'application/openmetrics-text; version=1.0.0; charset=utf-8';

/** Whether `Accept` names it and does not exclude it with `q=0` (RFC 9110 section 12.5.1). */
export function wantsOpenMetrics(accept: string): boolean {
  const range = accept.split(',').find(part => part.trim().startsWith('application/openmetrics-text'));
  return range !== undefined && !/;\s*q=0(?:\.0*)?\s*(?:;|$)/.test(range);
}

export function toOpenMetrics(text: string): string {
  const counters = text.replaceAll(
    /^# HELP (\S+)_total (.*)\n# TYPE \1_total counter$/gm,
    '# HELP $1 $2\n# TYPE $1 counter',
  );
  return `${counters.replaceAll(/\n{2,}/g, '\n')}# EOF\n`;
}
