/**
 * The architecture that chat guides teach, small: Express and socket.io, Sequelize on PostgreSQL with one status row for each
 * recipient, and a Bull job for each message. Written as one would who knows the libraries: one transaction, bulk inserts,
 * indexes, a pool, WebSockets alone, jobs removed when done.
 */
import { createServer } from 'node:http';
import Queue from 'bull';
import express from 'express';
import { Server } from 'socket.io';
import { must } from '#lib/must';
import { Conversation, Message, MessageStatus, Participant, populate, sequelize } from './guide/models.ts';
import { event, listening, port } from './peer.ts';

const places = await populate();
const deliveries = new Queue<{ messageId: string; conversationId: string; senderId: string }>(
  'deliveries',
  process.env.GUIDE_REDIS_URL ?? '',
  { defaultJobOptions: { removeOnComplete: true } },
);
const app = express();
// Callers keep their connections between rounds.
const http = createServer({ keepAliveTimeout: 75_000 }, app);
const io = new Server(http, { transports: ['websocket'], serveClient: false });

async function send(conversationId: string, senderId: string, contentEncrypted: string) {
  const message = await sequelize.transaction(async (transaction) => {
    const people = await Participant.findAll({
      where: { conversationId },
      attributes: ['userId'],
      raw: true,
      transaction,
    });
    if (!people.some(({ userId }) => userId === senderId)) throw new Error('not a participant');
    const created = await Message.create({ conversationId, senderId, contentEncrypted }, { transaction });
    const recipients = people.filter(({ userId }) => userId !== senderId);
    await MessageStatus.bulkCreate(
      recipients.map(({ userId }) => ({ messageId: created.id, userId, status: 'sent' })),
      { transaction },
    );
    await Conversation.update({ lastMessageAt: created.createdAt }, { where: { id: conversationId }, transaction });
    return created;
  });
  io.to(conversationId).emit('message', message.toJSON());
  await deliveries.add({ messageId: message.id, conversationId, senderId });
  return message;
}

/** Whoever has no socket in the room would be pushed to. */
void deliveries.process(async ({ data }) => {
  const present = io.sockets.adapter.rooms.get(data.conversationId)?.size ?? 0;
  const people = places.find(({ conversationId }) => conversationId === data.conversationId)?.userIds.length ?? 0;
  return present >= people ? 'delivered' : 'pushed';
});

app.use(express.json());
app.post('/messages', async (request, response) => {
  const { conversationId, senderId, contentEncrypted } = request.body as Record<string, string>;
  response.json(await send(conversationId ?? '', senderId ?? '', contentEncrypted ?? ''));
});
const placeOf = (room: unknown) =>
  must(places[room === 'all' ? places.length - 1 : Number(room)], 'a room of the bench');
io.on('connection', (socket) => {
  const joined = [socket.handshake.query.room, 'all'].map((room) => placeOf(room).conversationId);
  void socket.join(joined);
  socket.on('send', (room: string | number) => {
    const { conversationId, userIds } = placeOf(room);
    send(conversationId, must(userIds[0], 'rooms are full'), event.message.contentEncrypted).catch((error: unknown) =>
      socket.emit('refused', { error: { message: String(error) } }),
    );
  });
});
http.listen(port, '127.0.0.1', listening);
