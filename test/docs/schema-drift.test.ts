import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { checkedSchemaPath, checkedSchemaText, replyTypes, schemas, schemaText } from '../../scripts/schemas.ts';

test('docs/schema is what the types of the replies say (npm run docs)', async () => {
  const types = replyTypes();
  for (const name of Object.keys(schemas))
    expect(JSON.parse(await readFile(`docs/schema/${name}.schema.json`, 'utf8'))).toEqual(
      JSON.parse(schemaText(types, name)),
    );
  expect(JSON.parse(await readFile(checkedSchemaPath, 'utf8'))).toEqual(JSON.parse(checkedSchemaText(types)));
});
