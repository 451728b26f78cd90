/** What a listener lets pass in a path; matching uses a normalised copy, the backend gets the bytes as they came. */
export interface PathRules {
  /** A path with `.` or `..` segments: refused with 400, or resolved for matching (RFC 3986 section 5.2.4). */
  readonly dotSegments: 'reject' | 'resolve';
  /** `%2F` in a path: kept as it is (it is no separator), or refused with 400. */
  readonly encodedSlash: 'keep' | 'reject';
}

export interface HeadLimits {
  readonly headBytesMax: number;
  readonly headerCountMax: number;
  readonly uriBytesMax: number;
}
