/** Limits on guessing and flooding, with the time after which to try again. */
import { describe, expect, test } from 'vitest';
import WebSocket from 'ws';
import { newUser } from '../harness/people.ts';
import { newProgram, refusal } from '../harness/program.ts';
import { newAuthSecret, newRegistration } from '../harness/registration.ts';
import { newServer } from '../harness/server.ts';

const limited = () => newServer({ env: { RATE_LIMITS: 'on' } });

describe('limits', () => {
  test('[P24] guessing a password is stopped, for logins that exist and for those that do not', async () => {
    await using server = await limited();
    await using program = newProgram(server);
    const input = await newRegistration();
    await program.api.auth.register.mutate(input);
    const guess = (login: string, password = newAuthSecret()) =>
      refusal(program.api.auth.login.mutate({ login, password }));
    const answers: Record<string, string[]> = {};
    for (const login of [input.username, 'nobody-of-that-name']) {
      const reasons = (answers[login] = [] as string[]);
      for (let attempt = 0; attempt < 11; attempt++) reasons.push((await guess(login)).reason);
    }
    expect(answers[input.username]).toEqual([...Array(10).fill('invalid_credentials'), 'rate_limited']);
    expect(answers['nobody-of-that-name']).toEqual(answers[input.username]);
    const refused = await guess(input.username, input.password);
    expect(refused).toMatchObject({ code: 'TOO_MANY_REQUESTS', httpStatus: 429 });
    expect(refused.retryAfterMs).toBeGreaterThan(0);
  });

  test('[P24] a right password does not count as a wrong one', async () => {
    await using server = await limited();
    await using program = newProgram(server);
    const input = await newRegistration();
    await program.api.auth.register.mutate(input);
    for (let attempt = 0; attempt < 15; attempt++)
      await program.api.auth.login.mutate({ login: input.username, password: input.password });
  });

  test('[P24] a socket that floods is closed with 4429', async () => {
    await using server = await limited();
    const person = await newUser(server);
    const code = await new Promise((done) => {
      const socket = new WebSocket(`${server.wsUrl}?connectionParams=1`);
      socket.on('open', () => {
        socket.send(JSON.stringify({ method: 'connectionParams', data: { token: person.token } }));
        for (let frame = 0; frame < 3_000; frame++) socket.send('PING');
      });
      socket.on('close', done);
    });
    expect(code).toBe(4429);
  });

  test('[P24] at most 32 subscriptions on one socket; the next is refused, the others go on', async () => {
    await using server = await newServer();
    const person = await newUser(server);
    const frames: { id: number; result?: { type: string }; error?: { data: { reason: string; limit: number } } }[] = [];
    const socket = new WebSocket(`${server.wsUrl}?connectionParams=1`);
    socket.on('message', (data) => frames.push(JSON.parse(String(data))));
    await new Promise((done) => socket.once('open', done));
    socket.send(JSON.stringify({ method: 'connectionParams', data: { token: person.token } }));
    const subscribe = (id: number) =>
      socket.send(JSON.stringify({ id, method: 'subscription', params: { path: 'feed.follow', input: {} } }));
    for (let id = 1; id <= 33; id++) subscribe(id);
    await expect
      .poll(() => frames.find(({ error }) => error)?.error?.data)
      .toMatchObject({
        reason: 'rate_limited',
        limit: 32,
      });
    const started = () => frames.filter(({ result }) => result?.type === 'started').length;
    await expect.poll(started).toBe(32);
    socket.send(JSON.stringify({ id: 5, method: 'subscription.stop' }));
    await expect.poll(() => frames.some(({ id, result }) => id === 5 && result?.type === 'stopped')).toBe(true);
    subscribe(40);
    await expect.poll(started).toBe(33);
    socket.close();
  });
});
