/**
 * The statement that judges, orders and stores a batch of messages, with all that belongs to a message: what was bumped, read
 * by answering, attached.
 */
import type { Attachment } from '#protocol/file';
import { type Sql, takeRows } from './client.ts';

export interface NewMessage {
  readonly id: string;
  readonly conversationId: string;
  readonly senderId: string;
  readonly content: string;
  readonly messageType: string;
  readonly keyEpoch: number;
  readonly epochHash: Uint8Array;
  readonly senderGen: number;
  /** SHA-256 of `content` as it came, in hexadecimal. */
  readonly hash: string;
  readonly attachmentIds: readonly string[];
  /** False when the envelope was refused already: access and repeats are still judged first. */
  readonly acceptable: boolean;
}

export type Verdict =
  | {
      readonly kind: 'stored';
      readonly seq: number;
      readonly version: number;
      readonly createdAt: string;
      readonly attachments: Attachment[];
      /** The sender's own read watermark before; what lies between was read by answering, and is noted with the message. */
      readonly readBefore: number;
      /** Not null while the sender hides what he reads. */
      readonly readsHiddenAfter: number | null;
    }
  | {
      readonly kind:
        | 'repeat'
        | 'not_found'
        | 'message_id_taken'
        | 'unacceptable'
        | 'conversation_archived'
        | 'rekey_required'
        | 'epoch_stale'
        | 'identity_stale'
        | 'attachment_unknown'
        | 'attachment_taken';
    };

export interface Row {
  ord: number;
  verdict: Exclude<Verdict['kind'], 'stored'> | 'new';
  seq: number | null;
  version: number | null;
  created_at: string | null;
  attachments: Attachment[] | null;
  read_before: number;
  reads_hidden_after: number | null;
}

/**
 * Conversations are locked in sorted order, and READ COMMITTED re-reads a row it had to wait for. Whatever changes who is
 * in a conversation changes its epoch, or marks it, under the same lock: so a removal that commits while this statement
 * waits is seen as `epoch_stale` or `rekey_required`, though the participant's row was read before.
 */
export function store(sql: Sql, batch: readonly NewMessage[]): Promise<Row[]> {
  // Texts of lists, one for each column: neither JSON nor arrays cost the driver and the server so little.
  const list = (of: (message: NewMessage) => unknown) => batch.map(of).join();
  const array = (of: (message: NewMessage) => unknown) => `{${list(of)}}`;
  const columns = [
    array(({ id }) => id),
    array(({ conversationId }) => conversationId),
    array(({ senderId }) => senderId),
    // Base64, in which there is no comma.
    list(({ content }) => content),
    list(({ messageType }) => messageType),
    array(({ keyEpoch }) => keyEpoch),
    list(({ epochHash }) => hex(epochHash)),
    array(({ senderGen }) => senderGen),
    list(({ hash }) => hash),
    array(({ acceptable }) => acceptable),
  ];
  if (batch.every(({ attachmentIds }) => attachmentIds.length === 0)) return write(sql, WITHOUT_FILES, columns);
  const files = batch.flatMap(({ attachmentIds }, i) => attachmentIds.map((id) => ({ ord: i + 1, id })));
  const ords = `{${files.map(({ ord }) => ord).join()}}`;
  const ids = `{${files.map(({ id }) => id).join()}}`;
  return write(sql, WITH_FILES, [...columns, ords, ids]);
}

/** Its text is always the same: nothing is put together, and its plan is made once for each connection. */
async function write(sql: Sql, text: string, columns: string[]): Promise<Row[]> {
  const query = sql.unsafe<Row[]>(text, columns, { prepare: true });
  try {
    return takeRows(await query);
  } finally {
    // Whatever hangs on a query that is over lives on with it (takeRows): the texts of a batch need not.
    void Object.assign(query, { args: null, parameters: null });
  }
}

interface Parts {
  readonly found: string;
  readonly judged: string;
  readonly list: string;
  readonly joined: string;
  readonly attached: string;
}

const statement = (files: Parts) => `
    with input as (
      select i.*
      from unnest($1::text::uuid[], $2::text::uuid[], $3::text::uuid[], string_to_array($4::text, ','), string_to_array($5::text, ','),
        $6::text::int[], string_to_array($7::text, ','), $8::text::bigint[], string_to_array($9::text, ','), $10::text::bool[])
        with ordinality as i(id, conversation_id, sender_id, content, type, epoch, epoch_hash, gen, hash, acceptable, ord)
    ),
    c as (
      select c.* from (select distinct conversation_id as id from input order by 1) i cross join lateral (
        select c.id, c.is_active, c.rekey_required, c.key_epoch, c.epoch_hash, c.last_seq, c.version from conversations c
        where c.id = i.id for no key update limit 1
      ) c
    ),
    ${files.found}
    judged as (
      select i.*, c.last_seq, c.version, p.read_seq, p.reads_hidden_after, case
        when p.user_id is null then 'not_found'
        when m.id is not null then case
          when m.conversation_id = i.conversation_id and m.sender_id = i.sender_id and m.sent_hash = decode(i.hash, 'hex')
          then 'repeat' else 'message_id_taken' end
        when not i.acceptable then 'unacceptable'
        when not c.is_active then 'conversation_archived'
        when c.rekey_required then 'rekey_required'
        when c.key_epoch <> i.epoch or c.epoch_hash <> decode(i.epoch_hash, 'hex') then 'epoch_stale'
        when p.key_gen <> i.gen then 'identity_stale'
        ${files.judged}
        else 'new' end as verdict, ${files.list} as attachments
      from input i
      left join c on c.id = i.conversation_id
      left join lateral (
        select p.user_id, p.read_seq, p.reads_hidden_after, p.key_gen from conversation_participants p
        where p.conversation_id = c.id and p.user_id = i.sender_id and p.left_at is null limit 1
      ) p on true
      left join lateral (
        select m.id, m.conversation_id, m.sender_id, m.sent_hash from messages m where m.id = i.id limit 1
      ) m on true
      ${files.joined}
    ),
    -- Joins of batches with batches are nested loops here: what a row needs later, it takes along.
    placed as (select *, row_number() over (partition by conversation_id, verdict order by ord) as place from judged),
    bumped as (
      update conversations c set last_seq = c.last_seq + f.size, version = c.version + f.size,
        last_message_at = greatest(c.last_message_at, now()), changed_xid = pg_current_xact_id()
      from (select conversation_id, max(place) as size from placed where verdict = 'new' group by 1) f where c.id = f.conversation_id
    ),
    stored as (
      insert into messages (id, conversation_id, seq, sender_id, content_encrypted, message_type, key_epoch, first_key_epoch,
        sent_hash, version, changed_xid, attachments)
      select id, conversation_id, last_seq + place, sender_id, content, type, epoch, epoch,
        decode(hash, 'hex'), version + place, pg_current_xact_id(), attachments
      from placed where verdict = 'new'
    ),
    ${files.attached}
    spoke as (
      select conversation_id, sender_id, max(last_seq + place) as last, count(*) as own, min(read_seq) as before, min(reads_hidden_after) as hidden
      from placed where verdict = 'new' group by 1, 2
    ),
    noted as (
      insert into receipts (conversation_id, user_id, kind, from_seq, up_to_seq)
      select conversation_id, sender_id, case when hidden is null then 'read' else 'delivered' end, before, last - 1 from spoke
      where last - before > own
      on conflict do nothing
    ),
    moved as (
      update conversation_participants p set read_seq = greatest(p.read_seq, r.last),
        delivered_seq = greatest(p.delivered_seq, r.last), changed_xid = pg_current_xact_id()
      from spoke r where p.conversation_id = r.conversation_id and p.user_id = r.sender_id
    )
    select ord, verdict, last_seq + place as seq, version + place as version, now()::timestamptz(3) as created_at, attachments,
      coalesce(read_seq, 0) as read_before, reads_hidden_after
    from placed order by ord`;

const WITHOUT_FILES = statement({ found: '', judged: '', list: 'null::jsonb', joined: '', attached: '' });

/**
 * Attachments are locked after their conversations, by whoever attaches or removes them, and so read as they are then: none
 * hangs on two messages, and none on a message that the sweep is taking away.
 */
const WITH_FILES = statement({
  found: `
    wanted as (
      select i.ord, i.conversation_id, i.sender_id, w.id, w.place
      from unnest($11::text::int[], $12::text::uuid[]) with ordinality as w(ord, id, place) join input i on i.ord = w.ord
    ),
    held as (
      select a.* from (select distinct id from wanted order by 1) w cross join lateral (
        select a.id, a.conversation_id, a.uploader_id, a.message_id, a.cipher_size, a.completed_at, a.removed_at from attachments a
        where a.id = w.id and a.conversation_id in (select id from c) for no key update limit 1
      ) a
    ),
    files as (
      select w.ord, bool_and(h.id is not null) as known, bool_or(h.message_id is not null) as taken,
        jsonb_agg(jsonb_build_object('id', w.id, 'size', h.cipher_size) order by w.place) as list
      from wanted w left join held h on h.id = w.id and h.conversation_id = w.conversation_id
        and h.uploader_id = w.sender_id and h.completed_at is not null and h.removed_at is null
      group by w.ord
    ),`,
  judged: `
        when not f.known then 'attachment_unknown'
        when f.taken then 'attachment_taken'`,
  list: `f.list`,
  joined: `left join files f on f.ord = i.ord`,
  attached: `
    attached as (
      update attachments a set message_id = f.id
      from placed f join wanted w on w.ord = f.ord where a.id = w.id and f.verdict = 'new'
    ),`,
});

const hex = (bytes: Uint8Array) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex');

export function toVerdict(row: Row): Verdict {
  if (row.verdict !== 'new') return { kind: row.verdict };
  if (row.seq === null || row.version === null || row.created_at === null)
    throw new TypeError('a stored message without its seq');
  const createdAt = new Date(row.created_at).toISOString();
  const attachments = row.attachments ?? [];
  const { seq, version, read_before: readBefore, reads_hidden_after: readsHiddenAfter } = row;
  return { kind: 'stored', seq, version, createdAt, attachments, readBefore, readsHiddenAfter };
}
