/** Looks for sent text wherever the server keeps anything: as it is, in hex, and in base64 at any offset. */
import type postgres from 'postgres';
import { type Chat, createChat } from '#client/index';

/** Everything that anybody in this file has written or chosen: texts, titles, emoji, passwords. */
const written = new Set<string>();
export function wrote(text: string): string {
  written.add(text);
  return text;
}

/** A program's chat, whose words are remembered like those of people at browsers. */
export function newProgram(url: string): Chat {
  const chat = createChat({ url });
  return {
    ...chat,
    register: (input) => chat.register({ ...input, password: wrote(input.password) }),
    send: (id, draft) => chat.send(id, { ...draft, text: wrote(draft.text) }),
    edit: (id, messageId, text) => chat.edit(id, messageId, wrote(text)),
    react: (id, messageId, emoji) => chat.react(id, messageId, wrote(emoji)),
    createGroup: (title, userIds) => chat.createGroup(wrote(title), userIds),
    rename: (id, title) => chat.rename(id, wrote(title)),
  };
}

/** What of it stands in any table, file or log. */
export async function leaks(place: { sql: postgres.Sql; files: string[]; logs: string }): Promise<string[]> {
  const rows = await dump(place.sql);
  const texts = [...written];
  return [...new Set([rows, ...place.files, place.logs].flatMap((haystack) => findIn(haystack, texts)))];
}

/** Every row of every table of the database, as text; what a dump would hold. */
export async function dump(sql: postgres.Sql): Promise<string> {
  const tables = await sql<{ name: string }[]>`
    select format('%I.%I', table_schema, table_name) as name from information_schema.tables
    where table_schema not in ('pg_catalog', 'information_schema')`;
  const parts = await Promise.all(
    tables.map(async ({ name }) => {
      const rows = await sql.unsafe<{ row: string }[]>(`select t::text as row from ${name} t`);
      return [name, ...rows.map(({ row }) => row)].join('\n');
    }),
  );
  return parts.join('\n');
}

/** The forms in which a text could hide. Base64 depends on where in a group of three bytes it begins. */
function disguises(text: string): string[] {
  const bytes = Buffer.from(text);
  const base64 = [0, 1, 2].map((offset) => {
    const encoded = Buffer.concat([Buffer.alloc(offset), bytes]).toString('base64');
    // The first and last characters also depend on what stands beside the text.
    return encoded.slice(offset === 0 ? 0 : 4, -4);
  });
  const forms = [text, JSON.stringify(text).slice(1, -1), bytes.toString('hex'), ...base64];
  return [...forms, ...base64.map((form) => form.replaceAll('+', '-').replaceAll('/', '_'))].filter(
    (form) => form.length >= 8,
  );
}

/** Which of these texts stand in there. */
export const findIn = (haystack: string, texts: string[]): string[] =>
  texts.filter((text) => disguises(text).some((form) => haystack.includes(form)));
