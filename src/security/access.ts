/** Networks in CIDR form. `deny` wins; an empty `allow` admits everybody else. */
export interface AccessSettings {
  readonly allow: readonly string[];
  readonly deny: readonly string[];
}
