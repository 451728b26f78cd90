/** Fields as they came: name, value, name, value ... in order, with case and duplicates. */
export type HeaderList = readonly string[];

/** Changes to a head that a route asks for, applied in this order: remove, set, add. Names keep their case. */
export interface HeaderEdits {
  readonly remove: readonly string[]; // lower case
  readonly set: readonly (readonly [name: string, value: string])[];
  readonly add: readonly (readonly [name: string, value: string])[];
}
