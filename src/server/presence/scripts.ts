/**
 * What Redis does in one step for presence. A person is one hash: `c:<node>:<session>` for each session that has sockets
 * on a node, `s:<session>` for what the session says of itself, `told` for the status that was published last.
 */
import { seal, redisChannel } from '../bus/envelope.ts';
import type { PresenceStatus } from '#protocol/signal';
import type { RedisClient, RedisLink } from '../redis.ts';

/** Members: nodes, scored by their last heartbeat. */
const NODES = 'parley:presence:nodes';
/** Who has sockets on a node: whom to look at when it dies. */
export const peopleOf = (node: string): string => `parley:presence:node:${node}`;
/** In the slot of the channel, because the script publishes there. */
export const keyOf = (userId: string): string => `parley:presence:{${redisChannel(`p:${userId}`)}}`;

/** Nodes say once a minute what they hold; what none of them speaks of is gone after this. */
const FORGET_S = 600;

/**
 * A node says which sessions of a person it has. Whatever follows from that is published from in here, so that a
 * transition is told once, and in the order in which it happened, whichever node caused it.
 * KEYS person, channel. ARGV node, publishing command, three payloads, how many sessions, (session, status) of each; then
 * (session, status) of what was said just now. What a node only repeats never overrides what was said.
 */
const HOLD = `
local RANK = { offline = 0, away = 1, online = 2 }
local key, mine = KEYS[1], 'c:' .. ARGV[1] .. ':'
local payloads = { online = ARGV[3], away = ARGV[4], offline = ARGV[5] }
local here, open, told, arg = {}, {}, 'offline', 7
for _ = 1, tonumber(ARGV[6]) do
  here[ARGV[arg]] = ARGV[arg + 1]
  arg = arg + 2
end
local fields = redis.call('HGETALL', key)
for i = 1, #fields, 2 do
  local field = fields[i]
  if field == 'told' then told = fields[i + 1]
  elseif string.sub(field, 1, 2) == 'c:' then
    local session = string.match(field, '^c:[^:]*:(.*)$')
    if string.sub(field, 1, #mine) == mine and not here[session] then redis.call('HDEL', key, field)
    else open[session] = true end
  end
end
for session, status in pairs(here) do
  redis.call('HSET', key, mine .. session, '1')
  redis.call('HSETNX', key, 's:' .. session, status)
  open[session] = true
end
while arg < #ARGV do
  if open[ARGV[arg]] then redis.call('HSET', key, 's:' .. ARGV[arg], ARGV[arg + 1]) end
  arg = arg + 2
end
local now = 'offline'
fields = redis.call('HGETALL', key)
for i = 1, #fields, 2 do
  if string.sub(fields[i], 1, 2) == 's:' then
    if not open[string.sub(fields[i], 3)] then redis.call('HDEL', key, fields[i])
    elseif RANK[fields[i + 1]] > RANK[now] then now = fields[i + 1] end
  end
end
if next(open) == nil then redis.call('DEL', key)
else
  redis.call('HSET', key, 'told', now)
  redis.call('EXPIRE', key, ${FORGET_S})
end
if now == told then return false end
redis.call(ARGV[2], KEYS[2], payloads[now])
return now`;

/** KEYS nodes. ARGV node, ms after which a node is dead, ms by which this beat is dated back. Answers: known before?, the dead. */
const BEAT = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local known = redis.call('ZSCORE', KEYS[1], ARGV[1])
redis.call('ZADD', KEYS[1], now - ARGV[3], ARGV[1])
return { known and 1 or 0, redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now - ARGV[2], 'WITHSCORES') }`;

interface Scripts {
  parleyHold(...args: string[]): Promise<PresenceStatus | null>;
  parleyBeat(...args: string[]): Promise<[number, string[]]>;
}

export interface Held {
  readonly userId: string;
  readonly node: string;
  readonly sessions: readonly (readonly [string, PresenceStatus])[];
  readonly said: readonly (readonly [string, PresenceStatus])[];
  /** ISO time: when he was last seen, should he be gone by this. */
  readonly at: string;
}

export class PresenceScripts {
  readonly #client: RedisClient & Scripts;
  readonly #publish: string;

  constructor({ commands, isCluster }: RedisLink) {
    commands.defineCommand('parleyHold', { numberOfKeys: 2, lua: HOLD });
    commands.defineCommand('parleyBeat', { numberOfKeys: 1, lua: BEAT });
    this.#client = commands as RedisClient & Scripts;
    this.#publish = isCluster ? 'SPUBLISH' : 'PUBLISH';
  }

  /** @returns the new status if this was a transition */
  async hold({ userId, node, sessions, said, at }: Held): Promise<PresenceStatus | null> {
    const payload = (status: PresenceStatus) =>
      // From nobody: the node that causes it hears it back like the others.
      seal('', [JSON.stringify({ kind: 'presence', userId, status, lastSeenAt: status === 'offline' ? at : null })]);
    const payloads = [payload('online'), payload('away'), payload('offline')];
    const keys = [keyOf(userId), redisChannel(`p:${userId}`)];
    const args = [node, this.#publish, ...payloads, String(sessions.length), ...sessions.flat(), ...said.flat()];
    return this.#client.parleyHold(...keys, ...args);
  }

  async beat(node: string, deadMs: number, backMs = 0): Promise<{ known: boolean; dead: [string, number][] }> {
    const [known, scored] = await this.#client.parleyBeat(NODES, node, String(deadMs), String(backMs));
    const dead: [string, number][] = [];
    for (let i = 0; i < scored.length; i += 2) dead.push([scored[i] ?? '', Number(scored[i + 1])]);
    return { known: known === 1, dead };
  }

  async forgetNode(node: string): Promise<void> {
    await Promise.all([this.#client.del(peopleOf(node)), this.#client.zrem(NODES, node)]);
  }
}
