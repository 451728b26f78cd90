/** Blocks that a route, cluster or listener may switch off, because `defaults` may have one. */
import * as z from 'zod';

/** `off` is the same as absent, once `defaults` has been merged (`inheritance.ts`). */
export function orOff<T extends z.ZodType>(schema: T) {
  const { description } = schema;
  const either = z.union([z.literal('off'), schema]);
  const described = description === undefined ? either : either.meta({ description });
  return described
    .transform((value): Exclude<z.output<T>, 'off'> | undefined =>
      value === 'off' ? undefined : (value as Exclude<z.output<T>, 'off'>),
    )
    .optional();
}
