/** drizzle-kit: SQL is generated from the schema files and read before it is committed; `push` is never used. */
import { defineConfig } from 'drizzle-kit';

const url = process.env.DATABASE_URL;

export default defineConfig({
  dialect: 'postgresql',
  schema: './src/server/db/schema/*.ts',
  out: './drizzle',
  schemaFilter: ['public'],
  ...(url === undefined ? {} : { dbCredentials: { url } }),
});
