/** `fairlead schema`: prints the JSON Schema of the configuration, for editors. */
import { schemaJson } from '../config/json_schema.ts';
import { EXIT } from './exit_codes.ts';

export async function runSchema(): Promise<number> {
  process.stdout.write(`${JSON.stringify(schemaJson(), null, 2)}\n`);
  return EXIT.ok;
}
