/**
 * What happens to header fields between a client and a backend, both ways.
 *
 * Order, case and duplicates are kept. Fields for one hop are removed, and those that `Connection` names (RFC 9110
 * section 7.6.1); what a backend must know of the client is added behind (`forwarding.ts`); then the route's edits
 * apply, also to what was added. Everything works on flat lists (name, value, ...), in one pass, because a head of
 * fifteen fields is read for every request.
 *
 * `Trailer` stays: it is no field of one hop (RFC 9110 section 6.6.2), and answers keep their trailers.
 */
import { type NameTable, nameSet } from './field_names.ts';
import { type ForwardingFacts, PSEUDONYM, Requester } from './forwarding.ts';

/** Fields as they came: name, value, name, value ... in order, with case and duplicates. */
export type HeaderList = readonly string[];

/** Changes to a head that a route asks for, applied in this order: remove, set, add. Names keep their case. */
export interface HeaderEdits {
  readonly remove: readonly string[]; // lower case
  readonly set: readonly (readonly [name: string, value: string])[];
  readonly add: readonly (readonly [name: string, value: string])[];
}
