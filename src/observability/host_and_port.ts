/** The two parts of an authority (`a.test:8080`, `[::1]:80`) or of the address of an endpoint, for ECS and OpenTelemetry. */

interface HostAndPort {
  /** An IPv6 address in its brackets; null: none was sent. */
  readonly name: string | null;
  /** Null: none is written. */
  readonly port: number | null;
}

/** RFC 3986 section 3.2.3: a port may be empty. */
const PORT = /:(\d{0,5})$/;

/** A path (`unix:/run/app.sock`) is a name without a port. */
export function splitHost(authority: string): HostAndPort {
  const digits = PORT.exec(authority)?.[1];
  const name = digits === undefined ? authority : authority.slice(0, -digits.length - 1);
  return { name: name === '' ? null : name, port: digits ? Number(digits) : null };
}
