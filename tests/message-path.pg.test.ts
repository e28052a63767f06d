/**
 * One message, from the composer to the other screen, looked at each of the eight stops of docs/message-path.md.
 * The first test to read: a real server, a real database, two SDK clients over real sockets.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createChat, memoryStorage } from '#client/index';
import { selectMessage, selectTick, selectTimeline } from '#client/select';
import type { Chat, MessageView } from '#client/types';
import { parseEnvelope } from '#crypto/verify';
import { must } from '#lib/must';
import { followLive } from './harness/follow.ts';
import { newProgram } from './harness/program.ts';
import { newServer, type TestServer } from './harness/server.ts';
import { meOf, stored, until } from './client/people.ts';

const root = join(import.meta.dirname, '..');

describe('one message', () => {
  const TEXT = 'See you at the harbour at seven';
  let server: TestServer;
  let ann: Chat;
  let bob: Chat;
  /** Everything Ann's device was given to keep for later, as bytes. */
  const kept: Buffer[] = [];

  beforeAll(async () => {
    server = await newServer();
    const storage = memoryStorage();
    const put: typeof storage.put = (table, key, value) => {
      if (table === 'outbox') kept.push(Buffer.from(value as Uint8Array));
      return storage.put(table, key, value);
    };
    ann = createChat({ url: server.url, storage: { ...storage, put } });
    bob = createChat({ url: server.url });
    const password = 'a long password';
    await Promise.all([
      ann.register({ username: 'ann', email: 'ann@example.org', password }),
      bob.register({ username: 'bob', email: 'bob@example.org', password }),
    ]);
  });
  afterAll(async () => {
    await Promise.all([ann.close(), bob.close()]);
    await server[Symbol.asyncDispose]();
  });

  it('[P2] [P29] passes its eight stops', async () => {
    const conversationId = await ann.createDirect(meOf(bob));
    await until(bob, (state) => state.conversations[conversationId]);
    await Promise.all([ann.open(conversationId), bob.open(conversationId)]);

    // Somebody who knows only the contract stands beside Bob's client and sees what comes over his wire.
    const [session] = await server.db.sql`select id from sessions where user_id = ${meOf(bob)}`;
    const { token } = await server.deps.tokens.sign(meOf(bob), must(session, 'Bob is signed in').id);
    await using wire = newProgram(server, { token });
    using feed = await followLive(wire);
    // At the moment of the announcement: what does the database say?
    const rowWhenAnnounced = new Promise<unknown[]>((resolve, reject) => {
      server.deps.bus.subscribe(`c:${conversationId}`, (message) => {
        if (message.kind !== 'events') return;
        server.db.sql`select * from messages where conversation_id = ${conversationId}`.then(resolve, reject);
      });
    });

    // 1. The composer calls `send` and waits for nothing.
    const id = ann.send(conversationId, { text: TEXT });

    // 2. The outbox has put the echo into the state before it returned; what it keeps on the device is sealed.
    const echo = selectMessage(conversationId, id)(ann.store.getState());
    expect(echo).toMatchObject({ seq: null, senderId: meOf(ann), content: { kind: 'text', body: TEXT } });
    expect(selectTimeline(conversationId)(ann.store.getState())?.pending).toEqual([id]);
    expect(selectTick(conversationId, id)(ann.store.getState())).toBe('waiting');
    const mine = await stored(ann, conversationId, id);
    expect(kept.length).toBeGreaterThan(0);
    for (const bytes of kept) expect(bytes.includes(TEXT)).toBe(false);

    // 3. The procedure was called once, and said yes.
    const metrics = await (await fetch(`${server.url}/metrics`)).text();
    expect(metrics).toContain('parley_calls_total{path="messages.send",type="mutation",outcome="ok"} 1\n');

    // 4. The writer has stored one row with the first seq: an envelope that names this message, and no text.
    const [row, ...others] = await server.db.sql`select * from messages where conversation_id = ${conversationId}`;
    expect(others).toEqual([]);
    expect(row).toMatchObject({ id, sender_id: meOf(ann), seq: '1', message_type: 'text' });
    const bytes = Buffer.from(String(row?.content_encrypted), 'base64');
    expect(bytes.includes(TEXT)).toBe(false);
    const { header } = parseEnvelope(Uint8Array.from(bytes));
    expect(header).toMatchObject({ type: 'message', messageId: id, conversationId, senderId: meOf(ann), epoch: 0 });

    // 5. The bus was told after the commit: another connection found the row already.
    expect(await rowWhenAnnounced).toHaveLength(1);

    // 6. The feed has written it to Bob's wire, still sealed, with an id to resume from.
    const event = await feed.until(({ type }) => type === 'message');
    expect(event).toMatchObject({ message: { id, seq: 1, contentEncrypted: row?.content_encrypted } });
    expect(feed.ids[feed.items.indexOf(event)]).not.toBe('');

    // 7. Bob's client has verified and opened it.
    const theirs: MessageView = await stored(bob, conversationId, id);
    expect(theirs).toMatchObject({ seq: 1, senderId: meOf(ann), content: { kind: 'text', body: TEXT } });

    // 8. Both screens show the same: one message, by the selectors that the chat window uses.
    for (const { store } of [ann, bob]) {
      expect(selectTimeline(conversationId)(store.getState())).toMatchObject({ ids: [id], pending: [] });
    }
    expect(mine).toMatchObject({ seq: 1, version: theirs.version, createdAt: theirs.createdAt });

    // The way back: delivered without anybody doing anything, read once it was on the screen.
    await until(ann, (state) => selectTick(conversationId, id)(state) === 'delivered');
    bob.markRead(conversationId, 1);
    await until(ann, (state) => selectTick(conversationId, id)(state) === 'read');
  });
});

describe('docs/message-path.md', () => {
  const page = readFileSync(join(root, 'docs/message-path.md'), 'utf8');
  const sections = page.split(/^## /m).slice(1);
  const pairs = [...page.matchAll(/`([^`\s]+)` → `([^`]+)`/g)].map(([, path = '', name = '']) => ({ path, name }));

  it('has the eight stops, each with its file', () => {
    const stops = sections.filter((section) => /^\d\. /.test(section));
    expect(stops.map((stop) => stop[0])).toEqual([...'12345678']);
    for (const stop of stops) expect(stop.split('\n')[2]).toMatch(/^`[^`]+` → `[^`]+`$/);
  });

  it('names files that exist', () => {
    const paths = [...page.matchAll(/`((?:src|web|tests|docs)\/[^`\s]+)`/g)].map(([, path = '']) => path);
    expect(paths.filter((path) => !existsSync(join(root, path)))).toEqual([]);
  });

  it.each(pairs)('$path exports $name', ({ path, name }) => {
    const [exported = '', member] = name.split('.');
    const members = exportsOf(path).get(exported);
    expect(members, `${path} exports ${exported}`).toBeDefined();
    if (member) expect(members).toContain(member);
  });

  it.each(sections)('mentions only functions that its files have: %#', (section) => {
    const paths = [...section.matchAll(/`([^`\s]+)` → /g)].map(([, path = '']) => path);
    const sources = paths.map((path) => readFileSync(join(root, path), 'utf8')).join('\n');
    const functions = [...section.matchAll(/`(?:\w+\.)?(#?\w+)\(\)`|`[A-Z]\w+\.(#\w+)`/g)];
    const missing = functions.map(([, called, own]) => called ?? own ?? '').filter((f) => !sources.includes(`${f}(`));
    expect(missing).toEqual([]);
  });
});

/** What a file exports, by name; for classes and interfaces with the names of their members. */
function exportsOf(path: string): Map<string, string[]> {
  const source = ts.createSourceFile(path, readFileSync(join(root, path), 'utf8'), ts.ScriptTarget.Latest);
  const found = new Map<string, string[]>();
  for (const statement of source.statements) {
    const modifiers = ts.canHaveModifiers(statement) ? ts.getModifiers(statement) : undefined;
    if (!modifiers?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword)) continue;
    if (ts.isVariableStatement(statement)) {
      for (const { name } of statement.declarationList.declarations) found.set(name.getText(source), []);
    } else if (ts.isClassDeclaration(statement) || ts.isInterfaceDeclaration(statement)) {
      const members = statement.members.map(({ name }) => name?.getText(source) ?? '');
      found.set(statement.name?.text ?? 'default', members);
    } else if (ts.isFunctionDeclaration(statement)) found.set(statement.name?.text ?? 'default', []);
  }
  return found;
}
