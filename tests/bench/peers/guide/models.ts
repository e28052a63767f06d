/** The tables of the guide, and in them the people and rooms of the bench. */
import { randomUUID } from 'node:crypto';
import {
  type CreationOptional,
  DataTypes,
  type InferAttributes,
  type InferCreationAttributes,
  Model,
  Sequelize,
} from 'sequelize';
import { ROOMS } from '../peer.ts';

const ROOM_SIZE = 10;

export const sequelize = new Sequelize(process.env.GUIDE_DATABASE_URL ?? '', { logging: false, pool: { max: 20 } });

class Row<T extends Model> extends Model<InferAttributes<T>, InferCreationAttributes<T>> {
  declare id: CreationOptional<string>;
}
// Made anew for each column: Sequelize writes the column's name into them.
const id = () => ({ type: DataTypes.UUID, primaryKey: true, defaultValue: () => randomUUID() });
const uuid = () => ({ type: DataTypes.UUID, allowNull: false });
const options = { sequelize, underscored: true };

export class User extends Row<User> {
  declare username: string;
}
User.init({ id: id(), username: { type: DataTypes.STRING, allowNull: false, unique: true } }, options);

export class Conversation extends Row<Conversation> {
  declare lastMessageAt: CreationOptional<Date | null>;
}
Conversation.init({ id: id(), lastMessageAt: DataTypes.DATE }, options);

export class Participant extends Row<Participant> {
  declare conversationId: string;
  declare userId: string;
}
Participant.init(
  { id: id(), conversationId: uuid(), userId: uuid() },
  { ...options, indexes: [{ unique: true, fields: ['conversation_id', 'user_id'] }, { fields: ['user_id'] }] },
);

export class Message extends Row<Message> {
  declare conversationId: string;
  declare senderId: string;
  declare contentEncrypted: string;
  declare createdAt: CreationOptional<Date>;
}
Message.init(
  {
    id: id(),
    conversationId: uuid(),
    senderId: uuid(),
    contentEncrypted: { type: DataTypes.TEXT, allowNull: false },
    createdAt: DataTypes.DATE,
  },
  { ...options, indexes: [{ fields: ['conversation_id', 'created_at'] }] },
);

/** One row for each message and recipient. */
export class MessageStatus extends Row<MessageStatus> {
  declare messageId: string;
  declare userId: string;
  declare status: string;
}
MessageStatus.init(
  { id: id(), messageId: uuid(), userId: uuid(), status: { type: DataTypes.STRING, allowNull: false } },
  { ...options, indexes: [{ unique: true, fields: ['message_id', 'user_id'] }] },
);

export interface Place {
  readonly conversationId: string;
  /** The first of them sends. */
  readonly userIds: readonly string[];
}

/** Makes the tables, a hundred rooms of ten people, and one room of all of them. @returns the rooms, the large one last. */
export async function populate(): Promise<Place[]> {
  await sequelize.sync({ force: true });
  const users = await User.bulkCreate(
    Array.from({ length: ROOMS * ROOM_SIZE }, (_, n) => ({ username: `person-${n}` })),
  );
  const ids = users.map((user) => user.id);
  const groups = Array.from({ length: ROOMS }, (_, n) => ids.slice(n * ROOM_SIZE, (n + 1) * ROOM_SIZE));
  const places: Place[] = [];
  for (const userIds of [...groups, ids]) {
    const { id: conversationId } = await Conversation.create({});
    await Participant.bulkCreate(userIds.map((userId) => ({ conversationId, userId })));
    places.push({ conversationId, userIds });
  }
  return places;
}
