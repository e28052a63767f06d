/** Sending mail through the operator's SMTP server: account codes, and nothing else. */
import { createTransport } from 'nodemailer';
import type { Env } from './env.ts';

export interface Letter {
  readonly to: string;
  readonly subject: string;
  readonly text: string;
}

export interface Mail {
  /** Resolves when the server has taken it. */
  send(letter: Letter): Promise<void>;
  close(): void;
}

/** A mail server that does not answer must not hold anything up for longer. */
const TIMEOUT_MS = 20_000;

/** Null where no mail server is named. */
export function createMail({ smtpUrl, mailFrom }: Pick<Env, 'smtpUrl' | 'mailFrom'>): Mail | null {
  if (smtpUrl === undefined) return null;
  const { hostname, port, protocol, username, password } = new URL(smtpUrl);
  const secure = protocol === 'smtps:';
  const transport = createTransport({
    host: hostname,
    port: Number(port) || (secure ? 465 : 587),
    secure,
    ...(username && { auth: { user: decodeURIComponent(username), pass: decodeURIComponent(password) } }),
    connectionTimeout: TIMEOUT_MS,
    greetingTimeout: TIMEOUT_MS,
    socketTimeout: TIMEOUT_MS,
  });
  return {
    async send(letter) {
      await transport.sendMail({ from: mailFrom, ...letter });
    },
    close: () => transport.close(),
  };
}
