/** A person with the real SDK: writes through its outbox, reads from its store. */
import { createChat } from '#client/index';
import type { Chat, MessageView } from '#client/types';
import { decodeIdentity, fingerprint, fromBase64 } from '#crypto/verify';
import { must } from '#lib/must';
import type { Home, Person, Room } from '../harness/people.ts';
import type { Random } from '../harness/random.ts';

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

export interface SdkClient extends AsyncDisposable {
  /** Its public keys, as others need them to make it a member. */
  readonly person: Person;
  /** Message id -> text, of everything it wrote. */
  readonly written: Map<string, { conversationId: string; text: string }>;
  open(rooms: readonly Room[]): Promise<void>;
  write(rooms: readonly Room[], pauseMs: number): Promise<void>;
  stop(): void;
  /** What still waits to go out. */
  waiting(): number;
  /** The whole conversation as the application shows it, oldest first. */
  shown(conversationId: string): Promise<MessageView[]>;
}

export async function newSdkClient(home: Home, random: Random, name: string): Promise<SdkClient> {
  const chat: Chat = createChat({ url: home.url });
  const password = `the long password of ${name}`;
  await chat.register({ username: name, email: `${name}@example.org`, password });
  const person = await publicPerson(chat);
  const written = new Map<string, { conversationId: string; text: string }>();
  let stopped = false;
  return {
    person,
    written,
    async open(rooms) {
      for (const { id } of rooms) {
        for (let tries = 0; !chat.store.getState().conversations[id] && tries < 100; tries++) await pause(100);
        await chat.open(id);
      }
    },
    async write(rooms, pauseMs) {
      while (!stopped) {
        const room = rooms[random.below(rooms.length)];
        if (room) {
          const text = `${name} ${written.size} ${'.'.repeat(random.below(100))}`;
          written.set(chat.send(room.id, { text }), { conversationId: room.id, text });
        }
        await pause(random.below(2 * pauseMs));
      }
    },
    stop: () => {
      stopped = true;
    },
    waiting: () =>
      Object.values(chat.store.getState().timelines).reduce((sum, timeline) => sum + timeline.pending.length, 0),
    async shown(conversationId) {
      for (let pages = 0; pages < 200; pages++) {
        const timeline = chat.store.getState().timelines[conversationId];
        if (timeline?.hasNewer) await chat.loadNewer(conversationId);
        else if (timeline?.hasOlder) await chat.loadOlder(conversationId);
        else break;
      }
      const timeline = must(chat.store.getState().timelines[conversationId], 'opened at the start');
      return timeline.ids.map((id) => must(timeline.byId.get(id), 'every id has its message'));
    },
    [Symbol.asyncDispose]: () => chat.close(),
  };
}

async function publicPerson(chat: Chat): Promise<Person> {
  const { session } = chat.store.getState();
  if (session.status !== 'signed-in') throw new Error('not signed in');
  const userId = session.me.id;
  const [found] = await chat.api.keys.identities.query({ userIds: [userId] });
  const identity = decodeIdentity(fromBase64(must(found, 'it has registered').record));
  return { userId, identity, fingerprint: await fingerprint(identity) } as Person;
}
