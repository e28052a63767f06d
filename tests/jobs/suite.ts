/** What offline delivery promises, wherever its jobs are kept: run by every backend. */
import type { Queue } from 'bullmq';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Deps } from '#server/deps';
import { type Jobs, type JobsOptions, startJobs } from '#server/jobs/jobs';
import type { QueueName } from '#server/jobs/queues';
import { followLive, sleep } from '../harness/follow.ts';
import {
  draftEpoch,
  newDirect,
  newGroup,
  newUser,
  op,
  type Person,
  remove,
  type Room,
  send,
} from '../harness/people.ts';
import { newPushService, type PushBrowser, type PushService } from '../harness/push-endpoint.ts';
import { newServer, type TestServer } from '../harness/server.ts';

export interface JobsBackend extends AsyncDisposable {
  readonly env: Record<string, string>;
  /** Forgets every job and schedule, as a crash would. */
  lose(server: TestServer): Promise<void>;
}

const QUICK = { backoff: 60, gather: 20, welcome: 60, sweep: 3_600_000, settle: 3_600_000, push: 2_000 } as const;
const PATIENCE = { timeout: 10_000, interval: 20 };

export function offlineDeliverySuite(name: string, open: () => Promise<JobsBackend>): void {
  let backend: JobsBackend;
  let server: TestServer;
  let pushes: PushService;
  let running: Jobs[] = [];

  beforeAll(async () => {
    backend = await open();
    server = await newServer({ env: backend.env });
    pushes = await newPushService();
  });
  afterAll(async () => {
    await server?.[Symbol.asyncDispose]();
    await pushes?.[Symbol.asyncDispose]();
    await backend?.[Symbol.asyncDispose]();
  });
  afterEach(async () => {
    for (const jobs of running) await jobs.close();
    running = [];
    await backend.lose(server);
  });

  async function start(options: Partial<JobsOptions> = {}, deps: Deps = server.deps): Promise<Jobs> {
    const timing = { ...QUICK, ...options.timing };
    const jobs = startJobs(deps, { databaseUrl: server.db.url, works: true, ...options, timing });
    running.push(jobs);
    await jobs.ready;
    return jobs;
  }
  const queueOf = (jobs: Jobs, queue: QueueName): Queue => {
    if (!jobs.queues) throw new Error('the queues are not open');
    return jobs.queues[queue];
  };
  const outcomes = async (jobs: Jobs, queue: QueueName = 'message-delivery') =>
    (await queueOf(jobs, queue).getCompleted())
      .filter((job) => job.name !== 'sweepFiles')
      .map((job) => job.returnvalue as string);
  const waiting = async (jobs: Jobs, queue: QueueName = 'message-delivery') => {
    const { waiting: now = 0, delayed = 0, active = 0 } = await queueOf(jobs, queue).getJobCounts();
    return now + delayed + active;
  };
  const idle = async (jobs: Jobs) => {
    await expect.poll(() => waiting(jobs), PATIENCE).toBe(0);
  };

  async function browserOf(person: Person): Promise<PushBrowser> {
    const browser = pushes.newBrowser();
    await person.api.push.subscribe.mutate(browser.subscription);
    return browser;
  }
  async function pair(): Promise<{ ann: Person; bob: Person; room: Room }> {
    const [ann, bob] = await Promise.all([newUser(server, 'ann'), newUser(server, 'bob')]);
    return { ann, bob, room: await newDirect(ann, bob) };
  }
  const notified = async (person: Person, room: Room) => {
    const [row] = await server.db.sql`select notified_seq from conversation_participants
      where conversation_id = ${room.id} and user_id = ${person.userId}`;
    return Number(row?.notified_seq);
  };

  describe(`offline delivery, jobs on ${name}`, () => {
    test('[P19][P29] one push for each message and browser, readable by that browser alone, with nothing in clear', async () => {
      const jobs = await start();
      const { ann, bob, room } = await pair();
      const devices = [await browserOf(bob), await browserOf(bob)];
      const sent = [await send(ann, room, 'meet me at the harbour')];
      await expect.poll(() => devices.map((one) => one.told()), PATIENCE).toEqual([[1], [1]]);
      await idle(jobs);
      sent.push(await send(ann, room, 'bring the map'));
      await expect
        .poll(() => devices.map((one) => one.told()), PATIENCE)
        .toEqual([
          [1, 2],
          [1, 2],
        ]);
      for (const { received } of devices)
        for (const [i, push] of received.entries()) {
          expect(push.payload).toEqual({
            v: 1,
            type: 'message',
            conversationId: room.id,
            messageId: sent[i]?.id,
            seq: i + 1,
            senderId: ann.userId,
            keyEpoch: sent[i]?.keyEpoch,
            contentEncrypted: sent[i]?.contentEncrypted,
          });
          expect(push.text).not.toMatch(/harbour|map/);
          expect(push.headers).toMatchObject({
            urgency: 'high',
            ttl: expect.stringMatching(/^\d+$/),
            topic: expect.stringMatching(/^[\w-]{32}$/),
            authorization: expect.stringMatching(/^vapid t=/),
          });
          expect(push.headers.topic).not.toContain(room.id);
        }
      await idle(jobs);
      expect(await notified(bob, room)).toBe(2);
      expect(await outcomes(jobs)).toEqual(['told', 'told']);
      for (const job of await queueOf(jobs, 'message-delivery').getCompleted())
        expect(job.data).toEqual({ userId: bob.userId, conversationId: room.id });
    });

    test('[P19] who has no browser has his job all the same; who sent it has none', async () => {
      const jobs = await start();
      const { ann, bob, room } = await pair();
      await send(ann, room, 'hello');
      await expect.poll(() => outcomes(jobs), PATIENCE).toEqual(['nobody_to_tell']);
      const [job] = await queueOf(jobs, 'message-delivery').getCompleted();
      expect(job?.data.userId).toBe(bob.userId);
    });

    test('[P19] a browser whose service fails is tried again with back-off, the others are not told twice', async () => {
      const jobs = await start();
      const { ann, bob, room } = await pair();
      const [good, bad] = [await browserOf(bob), await browserOf(bob)];
      bad.answer = () => (bad.received.length < 2 ? 500 : 201);
      await send(ann, room, 'hello');
      await expect.poll(() => bad.received.map(({ answered }) => answered), PATIENCE).toEqual([500, 500, 201]);
      await idle(jobs);
      expect(good.told()).toEqual([1]);
      const [job] = await queueOf(jobs, 'message-delivery').getCompleted();
      expect(job).toMatchObject({ attemptsMade: 3, returnvalue: 'told' });
      expect(job?.opts).toMatchObject({ attempts: 3, backoff: { type: 'exponential', delay: QUICK.backoff } });
    });

    test('[P19] three attempts, then the job has failed; the sweep tries again after a pause, and only then', async () => {
      const jobs = await start({ timing: { settle: 0 } });
      const { ann, bob, room } = await pair();
      const [good, bad] = [await browserOf(bob), await browserOf(bob)];
      bad.answer = () => 503;
      await send(ann, room, 'hello');
      const deliveries = queueOf(jobs, 'message-delivery');
      await expect.poll(() => deliveries.getFailedCount(), PATIENCE).toBe(1);
      const [job] = await deliveries.getFailed();
      expect(job).toMatchObject({ attemptsMade: 3, failedReason: '1 of 2 browsers could not be told' });
      expect(await notified(bob, room)).toBe(0);
      bad.answer = () => 201;
      await queueOf(jobs, 'maintenance').add('sweep', {});
      await expect.poll(() => outcomes(jobs, 'maintenance'), PATIENCE).toEqual([0]);
      expect(bad.told()).toEqual([]);
      await jobs.close();
      const later = await start({ timing: { settle: 0, pause: 0 } });
      await queueOf(later, 'maintenance').add('sweep', {});
      await expect.poll(() => bad.told(), PATIENCE).toEqual([1]);
      await idle(later);
      expect(good.told()).toEqual([1]);
      expect(await notified(bob, room)).toBe(1);
    });

    test('[P19] a new message does not wait for what failed before: neither its own job, nor the one that the sweep makes', async () => {
      const jobs = await start();
      const { ann, bob, room } = await pair();
      const [good, bad] = [await browserOf(bob), await browserOf(bob)];
      bad.answer = () => 503;
      await send(ann, room, 'one');
      const failed = () => queueOf(jobs, 'message-delivery').getFailedCount();
      await expect.poll(failed, PATIENCE).toBe(1);
      await send(ann, room, 'two');
      await expect.poll(() => good.told(), PATIENCE).toEqual([1, 2]);
      await expect.poll(failed, PATIENCE).toBe(2);
      await jobs.close();
      await send(ann, room, 'unnoticed');
      const later = await start({ timing: { settle: 0 } });
      await queueOf(later, 'maintenance').add('sweep', {});
      await expect.poll(() => good.told(), PATIENCE).toEqual([1, 2, 3]);
    });

    test('[P19] nothing more is pushed of what was read elsewhere between two attempts; what comes then is', async () => {
      const jobs = await start();
      const { ann, bob, room } = await pair();
      const browser = await browserOf(bob);
      browser.answer = async () => {
        await bob.api.receipts.advance.mutate({ conversationId: room.id, readSeq: 1 });
        return 500;
      };
      await send(ann, room, 'hello');
      await expect.poll(() => outcomes(jobs), PATIENCE).toEqual(['has_it']);
      expect(browser.received).toHaveLength(1);
      browser.answer = () => 201;
      await send(ann, room, 'and now');
      await expect.poll(() => browser.told(), PATIENCE).toEqual([2]);
    });

    test('a deleted message is not told', async () => {
      const jobs = await start({ works: false });
      const { ann, bob, room } = await pair();
      const browser = await browserOf(bob);
      const first = await send(ann, room, 'oops');
      await send(ann, room, 'hello');
      await remove(ann, room, first.id);
      await expect.poll(() => waiting(jobs), PATIENCE).toBe(1);
      await jobs.close();
      const working = await start();
      await idle(working);
      expect(browser.told()).toEqual([2]);
    });

    test('a muted conversation is not pushed, nor is it afterwards what came during the mute', async () => {
      const jobs = await start();
      const { ann, bob, room } = await pair();
      const browser = await browserOf(bob);
      const mute = (until: string | null) => bob.api.conversations.mute.mutate({ conversationId: room.id, until });
      expect(await mute('9999-12-31T00:00:00Z')).toMatchObject({ mutedUntil: '9999-12-31T00:00:00.000Z', lastSeq: 0 });
      await send(ann, room, 'psst');
      await sleep(150);
      expect(await waiting(jobs)).toBe(0);
      expect(await mute(null)).toMatchObject({ mutedUntil: null, unreadCount: 1 });
      await send(ann, room, 'hello');
      await expect.poll(() => browser.told(), PATIENCE).toEqual([2]);
      await idle(jobs);
      expect(browser.received).toHaveLength(1);
      // A job that was made before the mute finds it.
      await mute('9999-12-31T00:00:00Z');
      await server.deps.offline.addDeliveries([{ userId: bob.userId, conversationId: room.id }]);
      await expect.poll(() => outcomes(jobs), PATIENCE).toContain('muted');
    });

    test('a browser that is gone (410) is forgotten; one that takes no such push (413, 302) is left alone', async () => {
      const jobs = await start();
      const { ann, bob, room } = await pair();
      const [gone, small, moved] = [await browserOf(bob), await browserOf(bob), await browserOf(bob)];
      gone.answer = () => 410;
      small.answer = () => 413;
      moved.answer = () => 302;
      await send(ann, room, 'one');
      await expect.poll(() => outcomes(jobs), PATIENCE).toEqual(['told']);
      const left = await server.db.sql`select endpoint from push_subscriptions where user_id = ${bob.userId}`;
      expect(left.map(({ endpoint }) => endpoint).sort()).toEqual(
        [small, moved].map(({ subscription }) => subscription.endpoint).sort(),
      );
      await send(ann, room, 'two');
      await expect.poll(() => small.received.length, PATIENCE).toBe(2);
      await idle(jobs);
      expect([gone, small, moved].map(({ received }) => received.length)).toEqual([1, 2, 2]);
    });

    test('[P23] nothing is pushed to a browser whose session has ended, and the sweep forgets it', async () => {
      const jobs = await start();
      const { ann, bob, room } = await pair();
      const browser = await browserOf(bob);
      await bob.api.auth.revokeSession.mutate({ sessionId: bob.sessionId });
      await send(ann, room, 'hello');
      await expect.poll(() => outcomes(jobs), PATIENCE).toEqual(['nobody_to_tell']);
      await queueOf(jobs, 'maintenance').add('sweep', {});
      const rows = () => server.db.sql`select from push_subscriptions where user_id = ${bob.userId}`;
      await expect.poll(async () => (await rows()).length, PATIENCE).toBe(0);
      expect(browser.received).toEqual([]);
    });

    test('[P19] a burst makes one waiting job, and one push for each message', async () => {
      const jobs = await start({ works: false });
      const { ann, bob, room } = await pair();
      const browser = await browserOf(bob);
      for (let i = 1; i <= 30; i++) {
        await send(ann, room, `m${i}`);
        if (i % 10 === 0) await expect.poll(() => waiting(jobs), PATIENCE).toBe(1);
      }
      await jobs.close();
      const working = await start();
      await idle(working);
      expect(browser.told()).toEqual(Array.from({ length: 30 }, (_, i) => i + 1));
      expect(await outcomes(working)).toEqual(['told']);
    });

    test('[P19] a message that is committed while the job runs is not lost', async () => {
      const jobs = await start();
      const { ann, bob, room } = await pair();
      const browser = await browserOf(bob);
      let release = () => {};
      const held = new Promise<void>((done) => (release = done));
      browser.answer = async ({ seq }) => {
        if (seq === 1) await held;
        return 201;
      };
      await send(ann, room, 'one');
      await expect.poll(async () => (await queueOf(jobs, 'message-delivery').getActive()).length, PATIENCE).toBe(1);
      await send(ann, room, 'two');
      // Also by a node that did not add the first job, and so asks the queue.
      await server.deps.offline.addDeliveries([{ userId: bob.userId, conversationId: room.id }]);
      await sleep(100);
      release();
      await expect.poll(() => browser.told(), PATIENCE).toEqual([1, 2]);
      await idle(jobs);
      expect(browser.received).toHaveLength(2);
    });

    test('[P19] messages at the very end of jobs, again and again: every one is told, once', async () => {
      const jobs = await start({ timing: { gather: 1 } });
      const { ann, bob, room } = await pair();
      const browser = await browserOf(bob);
      for (let i = 1; i <= 40; i++) {
        await send(ann, room, `m${i}`);
        await sleep(i % 8);
      }
      await expect.poll(() => browser.told().length, PATIENCE).toBe(40);
      await idle(jobs);
      expect(browser.told()).toEqual(Array.from({ length: 40 }, (_, i) => i + 1));
    });

    test('[P19] jobs that their store lost are made again by the sweep, whose schedule was lost as well', async () => {
      const adding = await start({ works: false });
      const [ann, bob, cyd] = await Promise.all([
        newUser(server, 'ann'),
        newUser(server, 'bob'),
        newUser(server, 'cyd'),
      ]);
      const room = await newGroup(ann, [bob, cyd]);
      const browsers = [await browserOf(bob), await browserOf(cyd)];
      await send(ann, room, 'one');
      await expect.poll(() => waiting(adding), PATIENCE).toBe(2);
      await backend.lose(server);
      expect(await waiting(adding)).toBe(0);
      await adding.close();
      const jobs = await start({ timing: { settle: 0, sweep: 200 } });
      await expect.poll(() => browsers.map((one) => one.told()), PATIENCE).toEqual([[1], [1]]);
      await backend.lose(server);
      await expect.poll(() => outcomes(jobs, 'maintenance').then((done) => done.length), PATIENCE).toBeGreaterThan(1);
      expect(await queueOf(jobs, 'maintenance').getJobSchedulersCount()).toBe(2);
      expect(browsers.map((one) => one.received.length)).toEqual([1, 1]);
    });

    test('[P19] on return the waiting job goes, and the job of the return is done when the devices have it', async () => {
      const jobs = await start();
      const { ann, bob, room } = await pair();
      const browser = await browserOf(bob);
      browser.answer = () => 500;
      const { cursor } = await bob.api.sync.bootstrap.query();
      const { id } = await send(ann, room, 'hello');
      await expect.poll(() => browser.received.length, PATIENCE).toBeGreaterThan(0);
      using feed = await followLive(bob, cursor);
      expect(feed.items.some((event) => event.type === 'message')).toBe(true);
      await expect.poll(() => waiting(jobs, 'offline-messages'), PATIENCE).toBe(1);
      const statuses = () => ann.api.messages.statuses.query({ messageId: id });
      expect(await statuses()).toMatchObject([{ userId: bob.userId, status: 'sent' }]);
      await bob.api.receipts.advance.mutate({ conversationId: room.id, deliveredSeq: 1 });
      await expect.poll(() => outcomes(jobs, 'offline-messages'), PATIENCE).toEqual(['delivered']);
      expect(await statuses()).toMatchObject([{ userId: bob.userId, status: 'delivered' }]);
      await idle(jobs);
      const told = browser.received.length;
      // He is here: nothing is told outside of the page.
      await send(ann, room, 'more');
      await sleep(150);
      expect(await waiting(jobs)).toBe(0);
      expect(browser.received).toHaveLength(told);
    });

    test('[P19] where everybody was here, who no longer shows himself and who is added is told all the same', async () => {
      const jobs = await start();
      const [ann, bob, cyd] = await Promise.all([
        newUser(server, 'ann'),
        newUser(server, 'bob'),
        newUser(server, 'cyd'),
      ]);
      const room = await newGroup(ann, [bob]);
      const browsers = [await browserOf(bob), await browserOf(cyd)];
      const told = () => browsers.map((one) => one.told());
      using _annFeed = await followLive(ann);
      using _bobFeed = await followLive(bob);
      await send(ann, room, 'we are both here');
      await sleep(150);
      expect(await waiting(jobs)).toBe(0);
      await bob.api.presence.set.mutate({ status: 'offline' });
      await expect.poll(told, PATIENCE).toEqual([[1], []]);
      await idle(jobs);
      // Nobody has gone just now: it is found only by looking around.
      await send(ann, room, 'is he away?');
      await expect.poll(told, PATIENCE).toEqual([[1, 2], []]);
      await bob.api.presence.set.mutate({ status: 'online' });
      const people = [...room.people, cyd];
      const { authored, epoch } = await draftEpoch(ann, people, { kind: 'ratchet', ops: [op.add(cyd)] }, room);
      await ann.api.conversations.addParticipant.mutate({ conversationId: room.id, userId: cyd.userId, epoch });
      room.epoch = authored;
      await send(ann, room, 'welcome');
      await expect.poll(told, PATIENCE).toEqual([[1, 2], [3]]);
    });

    test('[P19] a device that does not take what waited is shown to the operator; who leaves without it is told again', {
      timeout: 40_000,
    }, async () => {
      const jobs = await start();
      const { ann, bob, room } = await pair();
      const returns = queueOf(jobs, 'offline-messages');
      await send(ann, room, 'hello');
      await expect.poll(() => outcomes(jobs), PATIENCE).toEqual(['nobody_to_tell']);
      {
        using _feed = await followLive(bob);
        await expect.poll(() => returns.getFailedCount(), PATIENCE).toBe(1);
        expect((await returns.getFailed())[0]).toMatchObject({ attemptsMade: 5 });
        expect((await returns.getFailed())[0]?.failedReason).toMatch(/not acknowledged/);
        const metrics = await server.deps.metrics.registry.metrics();
        expect(metrics).toMatch(/parley_jobs_total\{queue="offline-messages",outcome="failed"\} [1-9]/);
        expect(metrics).toMatch(/parley_queue_jobs\{queue="offline-messages",state="failed"\} 1/);
        // Sent while he was connected: nobody had to be told.
        const browser = await browserOf(bob);
        await send(ann, room, 'are you there');
        await sleep(100);
        expect(browser.received).toEqual([]);
        await bob[Symbol.asyncDispose]();
        await expect.poll(() => browser.told(), { timeout: 20_000 }).toEqual([2]);
      }
    });
  });
}
