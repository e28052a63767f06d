/** Owns who is signed in, and the tokens: renewed before they expire, one tab at a time. */
import type { Account, LoggedIn, SignedIn } from '#protocol/auth';
import type { Me } from '#protocol/user';
import { type Api, createAuthApi } from './api.ts';
import { backoffMs } from './backoff.ts';
import { inSdkWords, isReason, SdkError } from './errors.ts';
import { Offers } from './offers.ts';
import type { Tabs } from './platform.types.ts';
import type { RecoverInput, ResetInput } from './types.ts';
import type { KeyringService } from './worker/service.ts';

/** A token with less time than this left is renewed first: it has to live through the call it is used for. */
const MARGIN_MS = 10_000;
/** Renewed after this part of its life, so that a hiccup of the server is no sign-out. */
const RENEW_AT = 0.7;
const LOCK = 'parley-refresh';

interface Tokens {
  access: string;
  expiresAt: number;
  /** Programs have it here, browsers in a cookie out of reach of scripts. */
  refresh: string | undefined;
}

export interface SessionOptions {
  url: string;
  kind: 'cookie' | 'token';
  tabs: Tabs;
  keyring(): Promise<KeyringService>;
  onRenewed(accessToken: string): void;
  /** The server has ended it. */
  onEnded(reason: 'expired' | 'revoked'): void;
}

export class Session {
  readonly #options: SessionOptions;
  readonly #api: Api;
  readonly #offers = new Offers();
  #tokens: Tokens | undefined;
  #renewing: Promise<SignedIn> | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(options: SessionOptions) {
    this.#options = options;
    this.#api = createAuthApi(options.url, () => this.#tokens?.access ?? null);
  }

  async register(input: { id: string; username: string; email: string; displayName?: string; password: string }) {
    const { id, password, ...profile } = input;
    const keyring = await this.#options.keyring();
    const made = await inSdkWords(keyring.register({ userId: id, password, createdMs: Date.now() }));
    const { authSecret, identity, recoveryKey } = made;
    const request = { id, ...profile, password: authSecret, identity, session: this.#options.kind };
    const signedIn = await inSdkWords(this.#api.auth.register.mutate(request));
    this.#take(signedIn);
    await inSdkWords(keyring.finishRegistration());
    return { me: signedIn.user, recoveryKey };
  }

  async login({ login, password }: { login: string; password: string }): Promise<Me> {
    const keyring = await this.#options.keyring();
    const { kdf } = await inSdkWords(this.#api.auth.preLogin.query({ login }));
    const secret = await inSdkWords(keyring.prepareLogin(password, kdf));
    const request = { login, password: secret, session: this.#options.kind };
    const loggedIn: LoggedIn = await inSdkWords(this.#api.auth.login.mutate(request));
    this.#take(loggedIn);
    const account: Account = loggedIn.account;
    const upgrade = await inSdkWords(keyring.finishLogin(loggedIn.user.id, account));
    // The same password, stretched as one should today. Nobody waits for it: the next log-in tries again.
    if (upgrade) {
      const { authSecret, ...locks } = upgrade;
      const { gen } = account.identity;
      const change = { ...locks, gen, currentPassword: secret, password: authSecret, keepSessions: true };
      void this.#api.keys.changePassword.mutate(change).catch(() => {});
    }
    return loggedIn.user;
  }

  /** With the recovery key; what was signed in elsewhere is signed out. */
  async recover({ login, recoveryKey, password, code }: RecoverInput): Promise<{ me: Me; recoveryKey: string }> {
    const keyring = await this.#options.keyring();
    const make = async () => {
      const recoveryProof = await inSdkWords(keyring.recoveryProof(recoveryKey));
      const proof = { login, recoveryProof, ...(code !== undefined && { code }) };
      const account = await inSdkWords(this.#api.keys.openRecovery.mutate(proof));
      const { body, recoveryKey: next } = await inSdkWords(keyring.recover(recoveryKey, account, password));
      return { request: { ...proof, ...body, session: this.#options.kind }, recoveryKey: next };
    };
    return this.#enter({ login, recoveryKey, password }, make, (request) => this.#api.keys.recover.mutate(request));
  }

  /** With a code, and new keys in the place of those that are lost. */
  async reset({ login, code, password }: ResetInput): Promise<{ me: Me; recoveryKey: string }> {
    const keyring = await this.#options.keyring();
    const make = async () => {
      const account = await inSdkWords(this.#api.keys.beginReset.mutate({ login, code }));
      const { body, recoveryKey } = await inSdkWords(keyring.resetAccount(account, password, Date.now()));
      return { request: { ...body, login, code, session: this.#options.kind }, recoveryKey };
    };
    return this.#enter({ login, code, password }, make, (request) => this.#api.keys.reset.mutate(request));
  }

  async requestCode(input: { login: string; purpose: 'recover' | 'reset' }): Promise<{ mailed: boolean }> {
    return inSdkWords(this.#api.keys.requestCode.mutate(input));
  }

  async #enter<R>(
    asked: object,
    make: () => Promise<{ request: R; recoveryKey: string }>,
    send: (request: R) => Promise<SignedIn>,
  ): Promise<{ me: Me; recoveryKey: string }> {
    const { offer, answer } = await this.#offers.carryOut(asked, make, ({ request }) => inSdkWords(send(request)));
    this.#take(answer);
    const keyring = await this.#options.keyring();
    await inSdkWords(keyring.finishChange());
    return { me: answer.user, recoveryKey: offer.recoveryKey };
  }

  /** Goes on with the session this device remembers; null when there is none, or the server has ended it. */
  async resume(): Promise<Me | null> {
    const keyring = await this.#options.keyring();
    const remembered = await inSdkWords(keyring.restore());
    if (remembered === undefined) return null;
    const { user } = await this.#renew();
    if (user.id === remembered) return user;
    // Another tab has signed in as somebody else.
    this.clear();
    await keyring.wipe();
    return null;
  }

  /** A token that is valid now. */
  async token(): Promise<string> {
    const { access, expiresAt } = this.#tokens ?? { access: '', expiresAt: 0 };
    if (expiresAt - Date.now() > MARGIN_MS) return access;
    return (await this.#renew()).accessToken;
  }

  /** The server does not take the token any more, whatever the clock says. */
  expire(): void {
    if (this.#tokens) this.#tokens = { ...this.#tokens, expiresAt: 0 };
  }

  async logout(): Promise<void> {
    const refreshToken = this.#tokens?.refresh;
    try {
      await inSdkWords(this.#api.auth.logout.mutate(refreshToken === undefined ? undefined : { refreshToken }));
    } finally {
      this.clear();
    }
  }

  clear(): void {
    clearTimeout(this.#timer);
    this.#offers.forget();
    this.#tokens = undefined;
  }

  /** Once at a time, here and in the other tabs: a refresh token used twice ends the whole family of sessions. */
  #renew(): Promise<SignedIn> {
    this.#renewing ??= this.#options.tabs
      .exclusively(LOCK, () => this.#refresh())
      .finally(() => {
        this.#renewing = undefined;
      });
    return this.#renewing;
  }

  async #refresh(): Promise<SignedIn> {
    const refreshToken = this.#tokens?.refresh;
    if (this.#options.kind === 'token' && refreshToken === undefined) throw new SdkError('CLOSED', 'not_signed_in');
    try {
      const input = refreshToken === undefined ? undefined : { refreshToken };
      const answer = await inSdkWords(this.#api.auth.refresh.mutate(input));
      this.#take(answer);
      this.#options.onRenewed(answer.accessToken);
      return answer;
    } catch (error) {
      if (error instanceof SdkError && error.code === 'UNAUTHORIZED') {
        this.clear();
        this.#options.onEnded(isReason(error, 'session_revoked', 'refresh_reused') ? 'revoked' : 'expired');
      }
      throw error;
    }
  }

  #take({ accessToken, refreshToken }: SignedIn): void {
    const lifeMs = lifeOf(accessToken);
    this.#tokens = { access: accessToken, expiresAt: Date.now() + lifeMs, refresh: refreshToken };
    this.#renewIn(lifeMs * RENEW_AT);
  }

  #renewIn(ms: number, attempt = 0): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#renew().catch(() => {
        // Ended is ended; anything else may pass, and calls ask for a token themselves in the meantime.
        if (this.#tokens) this.#renewIn(backoffMs(attempt + 1), attempt + 1);
      });
    }, ms);
    // A waiting renewal must not keep a program alive.
    (this.#timer as { unref?: () => void }).unref?.();
  }
}

/** By the token's own two times, because this device's clock may be wrong and the difference is not. */
function lifeOf(accessToken: string): number {
  const payload = (accessToken.split('.')[1] ?? '').replaceAll('-', '+').replaceAll('_', '/');
  const { iat, exp } = JSON.parse(atob(payload)) as { iat: number; exp: number };
  return (exp - iat) * 1_000;
}
