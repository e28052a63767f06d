/** The ceiling of coming back: whoever connects is sent the rows he has missed, read by one bare query. */
import postgres from 'postgres';
import { type WebSocket, WebSocketServer } from 'ws';
import { listening, port } from './peer.ts';

const sql = postgres(process.env.ROWS_DATABASE_URL ?? '');
const conversations = (process.env.ROWS_CONVERSATIONS ?? '').split(',');
/** A frame of the load generator is at most 64 KB. */
const ROWS_PER_FRAME = 30;

const server = new WebSocketServer({ port, host: '127.0.0.1', perMessageDeflate: false });
server.on('listening', listening);
server.on('connection', (socket) => void give(socket));

async function give(socket: WebSocket): Promise<void> {
  const rows = await sql`
    select id, conversation_id, seq, sender_id, content_encrypted, key_epoch, first_key_epoch, message_type, attachments,
      is_edited, is_deleted, created_at, edited_at, version
    from messages where conversation_id = any(${conversations}::uuid[]) and seq > 1 order by conversation_id, seq`;
  for (let i = 0; i < rows.length; i += ROWS_PER_FRAME) socket.send(JSON.stringify(rows.slice(i, i + ROWS_PER_FRAME)));
  socket.send('welcome');
}
