/** A reporter for node:test that writes what `test_file.ts` needs to know: one JSON line for each event. */
import type { TestEvent } from 'node:test/reporters';

/** One line. `began` comes when a test begins, the others in the order of the report. */
export type FileEvent =
  | { readonly kind: 'began' | 'ended'; readonly name: string; readonly nesting: number }
  | { readonly kind: 'skipped'; readonly name: string; readonly reason: string }
  /** `hidden`: more than Node's own reporter shows. */
  | { readonly kind: 'failed'; readonly name: string; readonly detail: string; readonly hidden: boolean }
  | { readonly kind: 'count'; readonly what: string; readonly count: number };

// biome-ignore lint/style/noDefaultExport: Node takes a reporter from the default export of its module
export default async function* reportEvents(events: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  for await (const event of events) {
    const line = lineFor(event);
    if (line !== null) yield `${JSON.stringify(line)}\n`;
  }
}

function lineFor(event: TestEvent): FileEvent | null {
  switch (event.type) {
    case 'test:dequeue':
      return { kind: 'began', name: event.data.name, nesting: event.data.nesting };
    case 'test:complete':
      return { kind: 'ended', name: event.data.name, nesting: event.data.nesting };
    case 'test:pass': {
      const { name, skip } = event.data;
      if (skip === undefined || skip === false) return null;
      return { kind: 'skipped', name, reason: typeof skip === 'string' ? skip : 'no reason given' };
    }
    case 'test:fail': {
      const thrown = thrownBy(event.data.details.error);
      const hidden = thrown instanceof SuppressedError;
      return { kind: 'failed', name: event.data.name, detail: describe(thrown), hidden };
    }
    case 'test:diagnostic': {
      const count = /^(tests|suites|pass|fail|cancelled|skipped|todo) (\d+)$/.exec(event.data.message);
      if (count === null || event.data.nesting > 0) return null;
      return { kind: 'count', what: count[1] ?? '', count: Number(count[2]) };
    }
    default:
      return null;
  }
}

/** Node wraps what the test has thrown. */
function thrownBy(error: Error): unknown {
  return error.cause ?? error;
}

/** When a test fails and then its clean-up as well (`await using`), the first error is what matters. */
function describe(thrown: unknown): string {
  if (thrown instanceof SuppressedError)
    return `${describe(thrown.suppressed)}\nand then: ${describe(thrown.error)}`;
  return thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown);
}
