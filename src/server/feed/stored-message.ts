/**
 * Messages that were missed, as PostgreSQL puts them into JSON: who was away for long is given thousands, and on their way to
 * him nothing in this process looks inside.
 */
import type { Message } from '#protocol/message';
import { type Sql, takeRows } from '../db/client.ts';

/** An event of the feed like any other for whoever does look. */
export class StoredMessage {
  readonly type = 'message';
  readonly id: string;
  readonly version: number;
  /** Of the whole event. */
  readonly json: string;

  constructor({ id, version, json }: Row) {
    this.id = id;
    this.version = version;
    this.json = json;
  }

  get message(): Message {
    return this.toJSON().message;
  }

  toJSON(): { type: 'message'; message: Message } {
    return JSON.parse(this.json) as { type: 'message'; message: Message };
  }
}

interface Row {
  readonly id: string;
  readonly version: number;
  readonly json: string;
  /** It holds JSON of JSON, which PostgreSQL spaces in its own way. */
  readonly isNested: boolean;
}

/** Of these, those that are there; in any order. */
export async function storedMessages(sql: Sql, ids: readonly string[]): Promise<StoredMessage[]> {
  if (ids.length === 0) return [];
  const all = `{${ids.join()}}`;
  const rows = await sql<Row[]>`
    select id, version, '{"type":"message","message":' || row_to_json(m) || '}' as json,
      attachments <> '[]' or reactions::text <> '[]' as "isNested"
    from (
      select id, conversation_id as "conversationId", seq, sender_id as "senderId", content_encrypted as "contentEncrypted",
        key_epoch as "keyEpoch", first_key_epoch as "firstKeyEpoch", message_type as "messageType",
        coalesce(attachments, '[]') as attachments, is_edited as "isEdited", is_deleted as "isDeleted",
        to_char(created_at at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as "createdAt",
        to_char(edited_at at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as "editedAt", version,
        coalesce(reactions, '[]') as reactions
      from messages left join (
        -- In the order in which each emoji first came. Of all at once: asked for each message, they cost more than the messages.
        select message_id,
          json_agg(json_build_object('tag', encode(tag, 'base64'), 'count', count, 'sample', sample, 'userIds', ids) order by first, tag)
            as reactions
        from (
          select message_id, tag, count(*), min(created_at) as first, array_agg(user_id order by created_at, id) as ids,
            (array_agg(content_encrypted order by created_at, id))[1] as sample
          from reactions where message_id = any(${all}::text::uuid[]) group by message_id, tag
        ) each group by message_id
      ) of_it on of_it.message_id = messages.id
      where messages.id = any(${all}::text::uuid[])
    ) m`;
  return takeRows(rows).map(
    (row) => new StoredMessage(row.isNested ? { ...row, json: JSON.stringify(JSON.parse(row.json)) } : row),
  );
}
