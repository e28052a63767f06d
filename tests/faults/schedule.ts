/** The faults, chosen by a seed, one after the other, each healed by itself. */
import type { Random } from '../harness/random.ts';
import type { Node, World } from './world.ts';

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** The kill of a whole process group is not meant: only the process itself, without a word. */
async function killNode(node: Node): Promise<void> {
  await node.process?.end('SIGKILL');
}

const FAULTS = {
  async 'kill -9 a node'(world: World, random: Random) {
    const node = random.pick(world.nodes as [Node, ...Node[]]);
    await killNode(node);
    await pause(500 + random.below(2_000));
    await node.start();
  },
  async 'restart a node in order'(world: World, random: Random) {
    const node = random.pick(world.nodes as [Node, ...Node[]]);
    await node.process?.end('SIGTERM');
    await node.start();
  },
  async 'freeze a node'(world: World, random: Random) {
    const child = random.pick(world.nodes as [Node, ...Node[]]).process?.child;
    child?.kill('SIGSTOP');
    await pause(5_000);
    child?.kill('SIGCONT');
  },
  async 'cut connections'(world: World, random: Random) {
    world.balancer.cut(random, 0.5);
  },
  async 'drop the subscribers of Redis'(world: World) {
    await world.redis.client.client('KILL', 'TYPE', 'PUBSUB');
  },
  async 'kill -9 Redis'(world: World, random: Random) {
    await world.redis.kill();
    await pause(500 + random.below(3_000));
    await world.redis.start();
  },
  async 'terminate backends'(world: World) {
    await world.sql`select pg_terminate_backend(pid) from pg_stat_activity
      where application_name = 'parley' and pid <> pg_backend_pid() and random() < 0.5`.catch(() => {});
  },
  async 'kill -9 PostgreSQL'(world: World) {
    process.kill(world.postmaster(), 'SIGKILL');
    for (let tries = 0; tries < 100; tries++) {
      await pause(200);
      if (
        await world.sql`select 1`.then(
          () => true,
          () => false,
        )
      )
        return;
    }
  },
} satisfies Record<string, (world: World, random: Random) => Promise<void>>;

export type Fault = keyof typeof FAULTS;
const ALL_FAULTS = Object.keys(FAULTS) as [Fault, ...Fault[]];

/** Goes through all faults in a shuffled order, again and again, until the time is over. @returns what was done, when */
export async function runFaults(
  world: World,
  {
    random,
    seconds,
    everyMs,
    faults = ALL_FAULTS,
  }: { random: Random; seconds: number; everyMs: number; faults?: readonly Fault[] },
): Promise<{ at: number; fault: Fault }[]> {
  const done: { at: number; fault: Fault }[] = [];
  const began = Date.now();
  let bag: Fault[] = [];
  while (Date.now() - began < seconds * 1_000) {
    if (bag.length === 0) bag = [...faults];
    const [fault] = bag.splice(random.below(bag.length), 1);
    if (!fault) continue;
    done.push({ at: Date.now() - began, fault });
    await FAULTS[fault](world, random);
    await pause(everyMs / 2 + random.below(everyMs));
  }
  return done;
}
