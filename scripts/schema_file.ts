/** Writes fairlead.schema.json, which editors use; a test compares the file with the output of this script. */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { schemaJson } from '../src/config/json_schema.ts';

/** As `fairlead schema` prints it. */
export function renderSchemaFile(): string {
  return `${JSON.stringify(schemaJson(), null, 2)}\n`;
}

if (process.argv[1] === fileURLToPath(import.meta.url))
  writeFileSync(fileURLToPath(new URL('../fairlead.schema.json', import.meta.url)), renderSchemaFile());
