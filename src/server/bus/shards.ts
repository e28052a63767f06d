/** Subscriptions to a cluster: a connection to each master, which is told the channels of its slots. */
import type { Address, RedisLink } from '../redis.ts';
import { Subscriptions, type SubscriptionsOptions } from './subscriptions.ts';

/** Between two looks at who has which slots. */
const LOOK_MS = 2_000;
const SLOTS = 16_384;

/** Slots of one master. */
interface Range extends Address {
  readonly from: number;
  readonly to: number;
}

export class Shards {
  readonly #redis: RedisLink;
  readonly #options: Omit<SubscriptionsOptions, 'isSharded'>;
  readonly #masters = new Map<string, Subscriptions>();
  readonly #timer: NodeJS.Timeout;
  readonly #wanted = new Set<string>();
  #ranges: readonly Range[] = [];
  #known = '';

  constructor(redis: RedisLink, options: Omit<SubscriptionsOptions, 'isSharded'>) {
    this.#redis = redis;
    this.#options = options;
    const look = () => void this.#look().catch(() => {});
    redis.commands.on('ready', look);
    this.#timer = setInterval(look, LOOK_MS).unref();
    look();
  }

  get isUp(): boolean {
    return this.#masters.size > 0 && [...this.#masters.values()].every(({ isUp }) => isUp);
  }

  touch(channel: string): void {
    if (this.#options.isWanted(channel)) this.#wanted.add(channel);
    else this.#wanted.delete(channel);
    this.#masters.get(this.#masterOf(channel))?.touch(channel);
  }

  async settled(): Promise<void> {
    await Promise.all([...this.#masters.values()].map((master) => master.settled()));
  }

  close(): void {
    clearInterval(this.#timer);
    for (const master of this.#masters.values()) master.close();
    this.#masters.clear();
  }

  #masterOf(channel: string): string {
    const slot = slotOf(channel);
    const range = this.#ranges.find(({ from, to }) => from <= slot && slot <= to);
    return range ? addressOf(range) : '';
  }

  async #look(): Promise<void> {
    if (!this.#redis.isUp) return;
    const slots = await this.#redis.commands.cluster('SLOTS');
    const ranges = slots.flatMap(([from, to, master]): Range[] =>
      master ? [{ from, to, host: master[0], port: master[1] }] : [],
    );
    const known = JSON.stringify(ranges);
    if (known === this.#known) return;
    this.#known = known;
    this.#ranges = ranges;
    const masters = new Map(ranges.map((range) => [addressOf(range), range]));
    for (const [address, master] of this.#masters) {
      if (masters.has(address)) continue;
      master.close();
      this.#masters.delete(address);
    }
    for (const [address, { host, port }] of masters)
      if (!this.#masters.has(address)) this.#masters.set(address, this.#connect(address, { host, port }));
    // What has moved is let go by the one and asked for by the other.
    for (const channel of this.#wanted) for (const master of this.#masters.values()) master.touch(channel);
  }

  #connect(address: string, at: Address): Subscriptions {
    return new Subscriptions(this.#redis.subscriber(at), {
      isSharded: true,
      isWanted: (channel) => this.#masterOf(channel) === address && this.#options.isWanted(channel),
      onText: this.#options.onText,
    });
  }
}

const addressOf = ({ host, port }: Address) => `${host}:${port}`;

/** CRC16 (XMODEM) of the name, as the cluster specification has it. Our channels have no hash tags. */
export function slotOf(channel: string): number {
  let crc = 0;
  for (const byte of Buffer.from(channel)) {
    crc ^= byte << 8;
    for (let bit = 0; bit < 8; bit++) crc = crc & 0x8000 ? ((crc << 1) ^ 0x1021) & 0xffff : (crc << 1) & 0xffff;
  }
  return crc % SLOTS;
}
