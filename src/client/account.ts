/** Owns what a signed-in person does with the account's locks and keys: made by the keyring, offered to the server, then taken over. */
import { Serial } from '#lib/serial';
import { backoffMs, sleep } from './backoff.ts';
import type { Context } from './context.ts';
import { meOf } from './context.ts';
import type { Conversations } from './conversations.ts';
import { rotate } from './epochs.ts';
import { inSdkWords, isReason, mayPass, SdkError } from './errors.ts';
import { Offers, untilKnown } from './offers.ts';
import type { NewRecoveryKey } from './types.ts';

/** Conversations of which one failed for good are left to whoever sends next. */
const ROTATION_ATTEMPTS = 8;
/** Other tabs take the new keys from the device. */
const WORD = 'parley-keys';

export class AccountLife {
  readonly #context: Context;
  readonly #conversations: Conversations;
  readonly #offers = new Offers();
  readonly #serial = new Serial();
  #begun = false;

  constructor(context: Context, conversations: Conversations) {
    this.#context = context;
    this.#conversations = conversations;
  }

  start(): void {
    const { keyring, signal, tabs } = this.#context;
    const stop = tabs.hear((word) => word === WORD && void keyring.restore().catch(() => {}));
    signal.addEventListener('abort', stop, { once: true });
  }

  /** The list of conversations is there. */
  async begin(): Promise<void> {
    this.#begun = true;
    await this.settle();
  }

  /** A change whose answer was lost, or that was cut short, perhaps with the page that made it. @returns whether I have new keys now */
  async settle(): Promise<boolean> {
    const { keyring, tabs } = this.#context;
    const changed = await inSdkWords(keyring.settleChange());
    if (changed) tabs.tell(WORD);
    this.#rotateRest();
    return changed;
  }

  async changePassword({ current, next }: { current: string; next: string }): Promise<void> {
    const { api, keyring, signal } = this.#context;
    const make = async () => {
      const { secret, account } = await this.#open(current);
      const { authSecret, ...locks } = await inSdkWords(keyring.changePassword(account, next));
      return { ...locks, gen: account.identity.gen, currentPassword: secret, password: authSecret };
    };
    const send = (change: Awaited<ReturnType<typeof make>>) => inSdkWords(api.keys.changePassword.mutate(change));
    await this.#offers.carryOut({ current, next }, make, send, signal);
  }

  async newRecoveryKey(password: string): Promise<NewRecoveryKey> {
    const { api, keyring, signal } = this.#context;
    const make = async () => {
      const { secret, account } = await this.#open(password);
      const { recoveryKey, ...lock } = await inSdkWords(keyring.newRecoveryKey(account));
      return { change: { ...lock, gen: account.identity.gen, password: secret }, recoveryKey };
    };
    const send = ({ change }: Awaited<ReturnType<typeof make>>) => inSdkWords(api.keys.newRecoveryKey.mutate(change));
    const { offer } = await this.#offers.carryOut({ password }, make, send, signal);
    return { recoveryKey: offer.recoveryKey };
  }

  async rotateKeys(password: string): Promise<NewRecoveryKey> {
    const { keyring } = this.#context;
    const { secret, account } = await this.#open(password);
    const { body, recoveryKey } = await inSdkWords(keyring.rotateIdentity(account, Date.now()));
    return this.#carryOut({ ...body, currentPassword: secret }, recoveryKey);
  }

  async setPasswordHere({ password, code }: { password: string; code?: string }): Promise<NewRecoveryKey> {
    const { keyring } = this.#context;
    const { body, recoveryKey } = await inSdkWords(keyring.rotateHere(password, Date.now()));
    return this.#carryOut({ ...body, ...(code !== undefined && { code }) }, recoveryKey);
  }

  async requestOwnCode(): Promise<{ mailed: boolean }> {
    return inSdkWords(this.#context.api.keys.requestOwnCode.mutate());
  }

  /** The sealed account, against the password. */
  async #open(password: string) {
    const { api, keyring, store } = this.#context;
    const { session } = store.state;
    if (session.status !== 'signed-in') throw new SdkError('CLOSED', 'not_signed_in');
    const { kdf } = await inSdkWords(api.auth.preLogin.query({ login: session.me.username }));
    const secret = await inSdkWords(keyring.prepareLogin(password, kdf));
    const account = await inSdkWords(api.keys.account.mutate({ password: secret }));
    return { secret, account };
  }

  async #carryOut(
    body: Parameters<Context['api']['keys']['rotateIdentity']['mutate']>[0],
    recoveryKey: string,
  ): Promise<NewRecoveryKey> {
    const { api, keyring, signal, tabs } = this.#context;
    try {
      await untilKnown(() => inSdkWords(api.keys.rotateIdentity.mutate(body)), signal);
    } catch (error) {
      if (!isReason(error, 'outcome_unknown') || !(await this.settle().catch(() => false))) throw error;
    }
    await inSdkWords(keyring.finishChange());
    tabs.tell(WORD);
    this.#rotateRest();
    return { recoveryKey };
  }

  /** In the background, once at a time. */
  #rotateRest(): void {
    if (!this.#begun) return;
    void this.#serial.run(WORD, () => this.#rotateAll()).catch(() => {});
  }

  /** Whoever has the old keys shall not read on: not when somebody sends next, but now, whether the server has marked the conversation or not (e2ee.md 2). */
  async #rotateAll(): Promise<void> {
    const { keyring, signal, store } = this.#context;
    const gen = await keyring.unrotated();
    if (gen === null) return;
    const me = meOf(this.#context);
    const done = new Set<string>();
    // Somebody in there may have to be decided about first: then it is tried again at the next opening.
    let hasFailed = false;
    const left = () =>
      Object.values(store.state.conversations).filter(
        ({ id, isActive, participants }) =>
          isActive && !done.has(id) && participants.some(({ user }) => user.id === me),
      );
    const follow = async (id: string) => {
      if (await inSdkWords(keyring.isBehind(id))) await rotate(this.#context, id);
    };
    for (let attempt = 0; attempt < ROTATION_ATTEMPTS && !signal.aborted; attempt++) {
      try {
        for (let some = left(); some.length > 0 || store.state.hasMoreConversations; some = left()) {
          for (const { id } of some) {
            if (signal.aborted) return;
            await follow(id).catch((error: unknown) => {
              if (mayPass(error)) throw error;
              hasFailed = true;
            });
            done.add(id);
            attempt = 0;
          }
          if (store.state.hasMoreConversations) await this.#conversations.loadMore();
        }
        if (!hasFailed) await keyring.rotated(gen);
        return;
      } catch (error) {
        if (!mayPass(error)) return;
        await sleep(backoffMs(attempt + 1), signal);
      }
    }
  }
}
