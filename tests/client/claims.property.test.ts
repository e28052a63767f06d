/** What messages say of each other, against every legal history, and against servers that leave out, exchange or renumber. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { must } from '#lib/must';
import type { Message } from '#protocol/message';
import { Claims } from '../../src/client/claims.ts';
import type { Said } from '../../src/client/keyring/opener.ts';
import { EMPTY_TIMELINE } from '../../src/client/state/shape.ts';
import { putMessage, putPage } from '../../src/client/state/timeline.ts';
import type { Doubt, Timeline } from '../../src/client/types.ts';
import { toMessageView } from '../../src/client/views.ts';

const ROOM = 'room';
const PEOPLE = 3;

interface Row extends Message {
  said: Said | null;
}

interface Sender {
  /** Hashes of what they have seen, as it was then. */
  seen: Map<string, string>;
  newest: { seq: number; hash: string } | null;
}

/** Keeps the order and the contents; and people who write, having seen some of it. */
class Server {
  rows: Row[] = [];
  events: Row[] = [];
  #version = 0;
  #count = 0;
  readonly senders = Array.from({ length: PEOPLE }, (): Sender => ({ seen: new Map(), newest: null }));

  #sender = (by: number) => must(this.senders[by % PEOPLE], 'of three');
  #at = (place: number) => this.rows[place % Math.max(1, this.rows.length)];

  send(by: number, answered: number | null, isReadable = true): Row {
    const sender = this.#sender(by);
    const id = `id-${String(++this.#count).padStart(4, '0')}`;
    const target = answered === null ? undefined : this.#at(answered);
    const known = target && sender.seen.get(target.id);
    const said = { hash: `${id}/0`, seen: sender.newest, answers: known ? { id: target.id, hash: known } : null };
    const row: Row = {
      id,
      conversationId: ROOM,
      seq: this.rows.length + 1,
      senderId: `person${by}`,
      contentEncrypted: '',
      keyEpoch: 0,
      firstKeyEpoch: 0,
      messageType: 'text',
      attachments: [],
      isEdited: false,
      isDeleted: false,
      createdAt: new Date(0).toISOString(),
      editedAt: null,
      reactions: [],
      version: ++this.#version,
      said: isReadable ? said : null,
    };
    this.rows.push(row);
    this.events.push(row);
    return row;
  }

  change(place: number, how: 'isEdited' | 'isDeleted'): void {
    const row = this.#at(place);
    if (!row || row.isDeleted) return;
    const version = ++this.#version;
    const said = row.said && { hash: `${row.id}/${version}`, seen: null, answers: null };
    const next = { ...row, [how]: true, version, said };
    this.rows[row.seq - 1] = next;
    this.events.push(next);
  }

  /** Somebody reads what there is, or the end of it has not reached him yet. */
  read(by: number, lag: number): void {
    const sender = this.#sender(by);
    for (const { id, seq, said } of this.rows.slice(0, Math.max(0, this.rows.length - lag))) {
      if (!said) continue;
      sender.seen.set(id, said.hash);
      if ((sender.newest?.seq ?? 0) <= seq) sender.newest = { seq, hash: said.hash };
    }
  }
}

/** As the client is put together: what it opens is noted, what belongs into the window is put there. */
class Receiver {
  timeline: Timeline = EMPTY_TIMELINE;
  readonly claims = new Claims();
  readonly doubts: [id: string, doubt: Doubt][] = [];
  /** What the server gives this person: a lie is a change of it. */
  readonly given: () => Row[];

  constructor(given: () => Row[]) {
    this.given = given;
  }

  #open(rows: readonly Row[]) {
    for (const row of rows) this.claims.note(row, row);
    const opened = { content: { kind: 'text', body: '', replyTo: null } as const, revision: 0, emojis: {} };
    return rows.map((row) => toMessageView(row, { ...opened, said: row.said }, 'me'));
  }

  event(row: Row): void {
    const [view] = this.#open([row]);
    this.timeline = putMessage(this.timeline, must(view, 'one for one'));
  }

  page(place: 'replace' | 'older' | 'newer', size: number): void {
    const rows = this.given();
    const seqs = this.timeline.ids.map((id) => this.timeline.byId.get(id)?.seq ?? 0);
    const first = seqs[0] ?? 0;
    const last = seqs.at(-1) ?? 0;
    const found = {
      replace: () => rows.slice(-size),
      older: () => rows.filter(({ seq }) => seq < first).slice(-size),
      newer: () => rows.filter(({ seq }) => seq > last).slice(0, size),
    }[place]();
    const [hasOlder, hasNewer] = [true, (found.at(-1)?.seq ?? last) < (rows.at(-1)?.seq ?? 0)];
    this.timeline = putPage(this.timeline, { messages: this.#open(found), place, hasOlder, hasNewer });
  }

  /** What gaps.ts does. */
  look(): void {
    for (const [key, claim] of this.claims.open(ROOM)) {
      const verdict = this.claims.judge(claim, this.timeline);
      if (verdict === 'fine') this.claims.settle(key, claim);
      if (typeof verdict === 'string') continue;
      const rows = this.given();
      const at = rows.findIndex(({ id }) => id === verdict.ask);
      if (at < 0) continue;
      const page = rows.slice(Math.max(0, at - 1), at + 2);
      this.#open(page);
      if (this.claims.holds(claim, verdict.doubt, page, this.timeline))
        this.doubts.push([claim.messageId, verdict.doubt]);
    }
  }
}

const small = fc.nat(30);
const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constant('send' as const), by: small, answers: fc.option(small), ok: fc.nat(9) }),
  },
  { weight: 5, arbitrary: fc.record({ do: fc.constant('read' as const), by: small, lag: fc.nat(3) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constantFrom('edit' as const, 'delete' as const), at: small }) },
  {
    weight: 5,
    arbitrary: fc.record({ do: fc.constant('feed' as const), lost: fc.array(fc.boolean(), { maxLength: 6 }) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constantFrom('replace' as const, 'older' as const, 'newer' as const),
      size: fc.integer({ min: 1, max: 8 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('join' as const), afresh: fc.boolean() }) },
);

type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

function run(server: Server, receiver: Receiver, steps: readonly Step[], join: () => void): void {
  let told = 0;
  for (const one of steps) {
    switch (one.do) {
      case 'send':
        server.send(one.by, one.answers, one.ok > 0);
        break;
      case 'read':
        server.read(one.by, one.lag);
        break;
      case 'edit':
      case 'delete':
        server.change(one.at, one.do === 'edit' ? 'isEdited' : 'isDeleted');
        break;
      case 'feed': {
        const visible = new Set(receiver.given().map(({ id }) => id));
        const events = server.events.slice(told, told + one.lost.length);
        told += events.length;
        for (const [i, row] of events.entries()) if (!one.lost[i] && visible.has(row.id)) receiver.event(row);
        break;
      }
      case 'join':
        join();
        if (one.afresh) receiver.timeline = EMPTY_TIMELINE;
        break;
      default:
        receiver.page(one.do, one.size);
    }
    receiver.look();
  }
}

it('[C86][C88] no legal history raises a doubt: edits, deletions, late and lost news, coming back, senders who lag', () => {
  fc.assert(
    fc.property(fc.array(step, { minLength: 30, maxLength: 100, size: 'max' }), (steps) => {
      const server = new Server();
      let joined = 0;
      const receiver = new Receiver(() => server.rows.filter(({ seq }) => seq > joined));
      run(server, receiver, steps, () => (joined = server.rows.length));
      expect(receiver.doubts).toEqual([]);
    }),
    { numRuns: 500 },
  );
});

describe('[C86] a server that lies to one person', () => {
  /** Some history, one message that another answers, and some more; all of it is read by the one it is told otherwise. */
  function told(lie: (rows: Row[], dropped: Row) => Row[], check: (doubts: Receiver['doubts'], answer: Row) => void) {
    const steps = fc.array(
      step.filter((one) => one.do === 'send' || one.do === 'read'),
      { maxLength: 12 },
    );
    fc.assert(
      fc.property(
        steps,
        steps,
        fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 30, maxLength: 30 }),
        (before, after, sizes) => {
          const server = new Server();
          const nobody = new Receiver(() => []);
          run(server, nobody, before, () => {});
          server.send(2, null);
          const target = server.send(0, null);
          server.read(1, 0);
          const answer = server.send(1, target.seq - 1);
          run(server, nobody, after, () => {});
          const receiver = new Receiver(() => lie(server.rows, target));
          receiver.page('replace', 5);
          for (const size of sizes) receiver.page('older', size);
          receiver.look();
          check(receiver.doubts, answer);
        },
      ),
      { numRuns: 100 },
    );
  }

  it('and leaves a message out is found out by the next who has read it', () => {
    told(
      (rows, target) => rows.filter(({ id }) => id !== target.id),
      (doubts, answer) => expect(doubts).toContainEqual([answer.id, 'missing']),
    );
  });

  it('and closes the gap by counting anew as well', () => {
    told(
      (rows, target) =>
        rows
          .filter(({ id }) => id !== target.id)
          .map((row) => (row.seq > target.seq ? { ...row, seq: row.seq - 1 } : row)),
      (doubts, answer) => expect(doubts).toContainEqual([answer.id, 'missing']),
    );
  });

  it('and puts another message of its author there is found out by it, and by the answer', () => {
    told(
      (rows, target) =>
        rows.map((row) =>
          row.id === target.id && row.said ? { ...row, said: { ...row.said, hash: 'another' } } : row,
        ),
      (doubts, answer) => {
        expect(doubts).toContainEqual([answer.id, 'other']);
        expect(doubts).toContainEqual([answer.id, 'answer']);
      },
    );
  });
});
