/** Parses a file of users as written by Apache's htpasswd: one `name:hash` per line; lines that begin with `#` are comments. */
import { parsePasswordHash } from './password_hash.ts';

export interface StoredUser {
  readonly name: string;
  /** Secret: masked wherever a plan is shown. */
  readonly passwordHash: string;
}

interface UserFile {
  readonly users: readonly StoredUser[];
  readonly problems: readonly { readonly line: number; readonly message: string }[];
}

const NAME_LENGTH_MAX = 255;

export function parseHtpasswd(text: string): UserFile {
  const users = new Map<string, StoredUser>();
  const lines = new Map<string, number>();
  const problems: { line: number; message: string }[] = [];
  for (const [at, written] of text.split(/\r?\n/).entries()) {
    const line = at + 1;
    if (written.trim() === '' || written.startsWith('#')) continue;
    const colon = written.indexOf(':');
    const name = written.slice(0, Math.max(0, colon));
    // Text after a second colon is a comment, also for htpasswd.
    const passwordHash =
      written
        .slice(colon + 1)
        .split(':', 1)[0]
        ?.trim() ?? '';
    const problem =
      colon < 0 ? 'expected NAME:HASH' : (nameProblem(name, lines) ?? hashProblem(name, passwordHash));
    if (problem === null) {
      users.set(name, { name, passwordHash });
      lines.set(name, line);
    } else problems.push({ line, message: problem });
  }
  return { users: [...users.values()], problems };
}

function nameProblem(name: string, lines: ReadonlyMap<string, number>): string | null {
  if (name === '' || name.length > NAME_LENGTH_MAX) return `a name has 1 to ${NAME_LENGTH_MAX} characters`;
  if (/[\u0000-\u001f\u007f-\u009f]/.test(name)) return 'a name cannot contain control characters';
  const first = lines.get(name);
  return first === undefined ? null : `user ${name} is already on line ${first}`;
}

function hashProblem(name: string, passwordHash: string): string | null {
  const parsed = parsePasswordHash(passwordHash);
  return typeof parsed === 'string' ? `user ${name}: ${parsed}` : null;
}
