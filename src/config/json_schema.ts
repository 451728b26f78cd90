/** The schema as JSON Schema: for `fairlead schema`, for editors, and for the reference in docs/. */
import * as z from 'zod';
import { configSchema } from './schema/schema.ts';

/** JSON Schema (draft 2020-12) of the configuration, for editors. */
export function schemaJson(): unknown {
  const schema = z.toJSONSchema(configSchema, { io: 'input', unrepresentable: 'any' });
  return { title: 'Fairlead configuration', ...schema };
}
