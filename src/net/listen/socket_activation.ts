/** Descriptors that a service manager has opened for us (sd_listen_fds(3)): 3, 4, … in the order of their names. */

const FIRST_DESCRIPTOR = 3;

/** The descriptor for `fd:NAME` or `fd:NUMBER`; a string is the reason why there is none. */
export function inheritedDescriptor(
  name: string,
  env: Readonly<Record<string, string | undefined>>,
  pid: number,
): number | string {
  const count = Number(env['LISTEN_FDS'] ?? 0);
  if (/^\d+$/.test(name)) return Number(name);
  if (env['LISTEN_PID'] !== String(pid) || !(count > 0))
    return `no file descriptor "${name}": this process was not started by socket activation (LISTEN_PID, LISTEN_FDS)`;
  const names = (env['LISTEN_FDNAMES'] ?? '').split(':');
  const at = names.indexOf(name);
  if (at < 0 || at >= count)
    return `no file descriptor "${name}": LISTEN_FDNAMES has ${names.slice(0, count).join(', ')}`;
  return FIRST_DESCRIPTOR + at;
}
