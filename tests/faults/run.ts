/** One run: a world, people who write and read, faults for a while, healing, checks. The seed decides who does what, and which fault when. */
import { newGroup, newUser, type Person, type Room } from '../harness/people.ts';
import { seeded } from '../harness/random.ts';
import { check, isQuiet, type Outcome, type Story, unpushed } from './checks.ts';
import { History } from './history.ts';
import { newPushService } from '../harness/push-endpoint.ts';
import { newOfflineClient } from './offline-client.ts';
import { newPlainClient } from './plain-client.ts';
import { type Fault, runFaults } from './schedule.ts';
import { newSdkClient } from './sdk-client.ts';
import { newWorld } from './world.ts';

/** Everything must hold within this time after the last fault. */
const HEAL_MS = 10_000;
/** The sweep that finds what a queue has lost comes twice a minute. */
const SWEEP_MS = 75_000;
const ROOM_SIZE = 10;
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

export interface RunOptions {
  readonly seed: number;
  readonly seconds: number;
  readonly nodes: number;
  /** People who know only the contract, and people with the SDK. */
  readonly plain: number;
  readonly sdk: number;
  /** People who are never there, and are told by push. */
  readonly offline: number;
  /** Between two faults, about. */
  readonly everyMs: number;
  /** Between two acts of one person, about. */
  readonly pauseMs: number;
  /** Which faults; all of them unless told. */
  readonly faults?: readonly Fault[];
  /** Without resume and without ids of their own: the checks must find it. */
  readonly naive?: boolean;
}

export interface Report extends Outcome {
  readonly faults: { at: number; fault: Fault }[];
  readonly calls: number;
  readonly retries: number;
  readonly acknowledged: number;
  readonly repeats: number;
  readonly resyncs: number;
  /** Until everybody had everything; null when that took more than ten seconds. */
  readonly healedMs: number | null;
  /** Until the last message was pushed to those who are away, and how many were pushed more than once. */
  readonly pushedMs: number | null;
  readonly pushes: number;
  readonly pushedAgain: number;
}

export async function run(options: RunOptions): Promise<Report> {
  const { seed, naive = false } = options;
  await using world = await newWorld(options.nodes);
  const history = new History();
  const sdk = [];
  for (let i = 0; i < options.sdk; i++)
    sdk.push(await newSdkClient(world.home, seeded(seed + 1_000 + i), `sdk${i}x${seed}`));
  const people = await Promise.all(Array.from({ length: options.plain }, (_, i) => newUser(world.home, `plain${i}`)));
  await using service = await newPushService();
  const offline = [];
  for (let i = 0; i < options.offline; i++) offline.push(await newOfflineClient(world.home, service, `away${i}`));
  const rooms = await newRooms(
    people,
    [...sdk, ...offline].map(({ person }) => person),
  );
  const plain = people.map((person, i) =>
    newPlainClient({ home: world.home, person, random: seeded(seed + i), history, naive }),
  );
  const story: Story = { world, rooms, history, plain, sdk, offline };
  try {
    const of = (person: Person) => rooms.filter((room) => room.people.some(({ userId }) => userId === person.userId));
    for (const client of sdk) await client.open(of(client.person));
    await Promise.all(plain.map(({ live }) => live));
    const writing = [...plain, ...sdk].map((client) => client.write(of(client.person), options.pauseMs));
    await pause(1_000);
    const faults = await runFaults(world, { random: seeded(seed), ...options });
    for (const client of [...plain, ...sdk]) client.stop();
    await Promise.all(writing);
    const healedMs = await within(HEAL_MS, () => isQuiet(story));
    const outcome = await check(story);
    const pushedMs = await within(SWEEP_MS, async () => (await unpushed(story)).length === 0);
    for (const what of pushedMs === null ? await unpushed(story) : []) outcome.violations.push(`[P19] ${what}`);
    const pushes = offline.map(({ browser }) => browser.received.filter(({ answered }) => answered < 300));
    const again = pushes.map((all) => all.length - new Set(all.map(({ payload }) => payload.messageId)).size);
    const { calls, retries, acknowledged } = history;
    const sum = (read: (one: (typeof plain)[number]) => number) => plain.reduce((all, one) => all + read(one), 0);
    return {
      ...outcome,
      faults,
      calls,
      retries,
      acknowledged: acknowledged.size,
      repeats: sum(({ seen }) => seen.repeats),
      resyncs: sum(({ seen }) => seen.resyncs),
      healedMs,
      pushedMs,
      pushes: pushes.flat().length,
      pushedAgain: again.reduce((sum, one) => sum + one, 0),
    };
  } finally {
    await Promise.all([...plain, ...sdk].map((client) => client[Symbol.asyncDispose]()));
  }
}

/** Everybody is in two rooms of about ten; plain people make them, because their keys are at hand. */
async function newRooms(plain: Person[], sdk: Person[]): Promise<Room[]> {
  const everybody = [...plain, ...sdk];
  const count = Math.max(1, Math.round((everybody.length * 2) / ROOM_SIZE));
  const rooms: Room[] = [];
  for (let i = 0; i < count; i++) {
    const others = everybody.filter((_, k) => k % count === i || (k + 1 + Math.floor(k / count)) % count === i);
    const creator = others.find((person) => plain.includes(person)) ?? plain[0];
    if (creator)
      rooms.push(
        await newGroup(
          creator,
          others.filter((person) => person !== creator),
        ),
      );
  }
  return rooms;
}

/** How long it took, or null. */
async function within(ms: number, condition: () => Promise<boolean>): Promise<number | null> {
  const began = Date.now();
  while (Date.now() - began < ms) {
    if (await condition().catch(() => false)) return Date.now() - began;
    await pause(200);
  }
  return null;
}
