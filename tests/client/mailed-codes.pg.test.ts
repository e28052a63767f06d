/** Where the operator has named a mail server: the ways back in ask for the mailbox, too. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createChat } from '#client/index';
import { must } from '#lib/must';
import { newServer, type TestServer } from '../harness/server.ts';
import { newSmtpServer, type SmtpServer } from '../harness/smtp.ts';
import { newChat, type TestChat } from './people.ts';

let smtp: SmtpServer;
let server: TestServer;
let ann: TestChat;
beforeAll(async () => {
  smtp = await newSmtpServer();
  server = await newServer({ env: { SMTP_URL: smtp.url, MAIL_FROM: 'Parley <codes@parley.example>' } });
  ann = await newChat(server.url);
});
afterAll(async () => {
  await ann?.[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
  await smtp[Symbol.asyncDispose]();
});

const refusedWith = (reason: string) => expect.objectContaining({ name: 'SdkError', reason }) as unknown;

async function mailedCode(): Promise<string> {
  const { to, data } = await smtp.next();
  expect(to).toEqual([`${ann.username}@example.org`]);
  expect(data).toContain('From: Parley <codes@parley.example>');
  return must(/^\d{5}-\d{5}$/m.exec(data), 'the letter has a code')[0];
}

it('[C64] a device that is signed in, without the old password, needs a code besides', async () => {
  await expect(ann.chat.setPasswordHere({ password: 'a new one' })).rejects.toEqual(refusedWith('code_required'));
  expect(await ann.chat.requestCode({ purpose: 'unlock' })).toEqual({ mailed: true });
  const code = await mailedCode();
  const wrong = ann.chat.setPasswordHere({ password: 'a new one', code: '00000-00000' });
  await expect(wrong).rejects.toEqual(refusedWith('invalid_code'));
  const { recoveryKey } = await ann.chat.setPasswordHere({ password: 'a new one', code });
  ann = { ...ann, recoveryKey, password: 'a new one' };
});

it('[C62] so does the recovery key', async () => {
  const chat = createChat({ url: server.url });
  const { username: login, recoveryKey } = ann;
  const recover = (code?: string) =>
    chat.recover({ login, recoveryKey, password: 'another one', ...(code !== undefined && { code }) });
  await expect(recover()).rejects.toEqual(refusedWith('code_required'));
  expect(await chat.requestCode({ login: login.toUpperCase(), purpose: 'recover' })).toEqual({ mailed: true });
  const code = await mailedCode();
  await expect(recover('12345-67890')).rejects.toEqual(refusedWith('invalid_code'));
  await recover(code);
  await chat.close();
});

it('[C65] and a reset; nobody is written to who has no account here, and no code is in the log', async () => {
  const chat = createChat({ url: server.url });
  expect(await chat.requestCode({ login: 'nobody-of-that-name', purpose: 'reset' })).toEqual({ mailed: true });
  expect(await chat.requestCode({ login: ann.username, purpose: 'reset' })).toEqual({ mailed: true });
  const code = await mailedCode();
  await chat.resetAccount({ login: ann.username, code, password: 'from scratch' });
  expect(smtp.letters).toHaveLength(3);
  const log = server.logs.join('');
  for (const { data } of smtp.letters) {
    const sent = must(/^\d{5}-\d{5}$/m.exec(data), 'the letter has a code')[0];
    expect(log).not.toContain(sent);
    expect(log).not.toContain(sent.replace('-', ''));
  }
  await chat.close();
});
