/** What every presence keeps to; `here` and `there` may be two nodes. */
import { expect, test } from 'vitest';
import { uuidv7 } from 'uuidv7';
import type { Bus, BusMessage } from '#server/bus/bus';
import type { Presence } from '#server/presence/presence';
import { sleep } from '../harness/follow.ts';
import type { TestDb } from '../harness/db.ts';

export interface PresenceSystem extends AsyncDisposable {
  readonly here: Presence;
  readonly there: Presence;
  /** Of `there`. */
  readonly bus: Bus;
  readonly db: TestDb;
  readonly graceMs: number;
}

export async function newUserId({ sql }: TestDb): Promise<string> {
  const id = uuidv7();
  await sql`insert into users (id, username, email, password_hash, display_name, kdf)
    values (${id}, ${id}, ${`${id}@example.org`}, 'none', 'somebody', '{}')`;
  return id;
}

/** What is told of somebody from now on. */
export async function watch(bus: Bus, userId: string): Promise<string[]> {
  const told: string[] = [];
  bus.subscribe(`p:${userId}`, (message: BusMessage) => {
    if (message.kind === 'presence') told.push(message.status);
  });
  await bus.settled();
  return told;
}
export const statusOf = async (presence: Presence, userId: string) => (await presence.get([userId])).get(userId);

export function presenceContract(open: () => Promise<PresenceSystem>): void {
  test('online with the first device, offline with the last, each told once; then it is known since when', async () => {
    await using system = await open();
    const { here, there, bus, db } = system;
    const ann = await newUserId(db);
    const told = await watch(bus, ann);
    const leave = [here.connect(ann, 'desk'), here.connect(ann, 'phone'), there.connect(ann, 'phone')];
    await expect.poll(() => told).toEqual(['online']);
    expect(await statusOf(here, ann)).toEqual({ status: 'online', lastSeenAt: null });
    expect(await statusOf(there, ann)).toEqual({ status: 'online', lastSeenAt: null });
    leave[0]?.();
    leave[1]?.();
    leave[1]?.();
    await sleep(system.graceMs * 1.5);
    expect(told).toEqual(['online']);
    leave[2]?.();
    await expect.poll(() => told).toEqual(['online', 'offline']);
    await expect.poll(() => statusOf(here, ann)).toMatchObject({ status: 'offline', lastSeenAt: expect.any(String) });
  });

  test('the most present session wins; what a session says holds for all of its sockets', async () => {
    await using system = await open();
    const { here, there, bus, db } = system;
    const bob = await newUserId(db);
    const told = await watch(bus, bob);
    here.connect(bob, 'desk');
    const leave = there.connect(bob, 'phone');
    await expect.poll(() => told).toEqual(['online']);
    there.set(bob, 'desk', 'away');
    there.set(bob, 'phone', 'offline');
    await expect.poll(() => told).toEqual(['online', 'away']);
    there.set(bob, 'nobody', 'online');
    leave();
    here.set(bob, 'desk', 'online');
    await expect.poll(() => told).toEqual(['online', 'away', 'online']);
    await sleep(system.graceMs * 1.5);
    expect(told).toHaveLength(3);
  });

  test('a reload is not told, on whichever node it comes back', async () => {
    await using system = await open();
    const { here, there, bus, db } = system;
    const cyd = await newUserId(db);
    const told = await watch(bus, cyd);
    const leave = here.connect(cyd, 'desk');
    await expect.poll(() => told).toEqual(['online']);
    leave();
    await sleep(system.graceMs / 3);
    there.connect(cyd, 'desk');
    await sleep(system.graceMs * 2);
    expect(told).toEqual(['online']);
  });

  test('of strangers nothing is known, of those who were never there neither', async () => {
    await using system = await open();
    const dan = await newUserId(system.db);
    const found = await system.here.get([dan, uuidv7()]);
    expect([...found]).toEqual([[dan, { status: 'offline', lastSeenAt: null }]]);
  });
}
