/**
 * Every security check, and what it looks like when it is gone. `find` stands exactly once in `file`. The rules are those of
 * docs/crypto.md.
 */
export interface Check {
  name: string;
  file: string;
  find: string;
  replace: string;
  /** What runs when it is gone, if not the tests of encryption and keyring. */
  tests?: string[];
}

const crypto = (file: string, name: string, find: string, replace: string): Check => ({
  name,
  file: `src/crypto/${file}.ts`,
  find,
  replace,
});
const keyring = (file: string, name: string, find: string, replace: string): Check => ({
  name,
  file: `src/client/keyring/${file}.ts`,
  find,
  replace,
});

/** At the server, on a database: the tests that are about it. */
const server = (file: string, name: string, find: string, replace: string, ...tests: string[]): Check => ({
  name,
  file: `src/server/domain/${file}.ts`,
  find,
  replace,
  tests,
});

/** Anywhere in the server: the tests of files. */
const files = (file: string, name: string, find: string, replace: string): Check => ({
  name,
  file: `src/server/${file}.ts`,
  find,
  replace,
  tests: ['tests/server/files.pg'],
});

export const CHECKS: Check[] = [
  // Boxes and envelopes (C11, C12, C14, C20, C26, C31).
  crypto(
    'cobblestone',
    'commitment of a box',
    'if (!bytesEqual(keys.commitment, box',
    'if (false && !bytesEqual(keys.commitment, box',
  ),
  crypto('cobblestone', 'context of a box', 'concat(PREFIX, salt, context)', 'concat(PREFIX, salt)'),
  crypto(
    'cobblestone',
    'number of a chunk',
    'for (let i = 0, rest = index; i < COUNTER_BYTES;',
    'for (let i = 0, rest = index; i < 0;',
  ),
  crypto(
    'envelope',
    'signature of an envelope',
    'if (!(await verifySignature(sigPub, envelope.signature, signed)))',
    'if (!(await verifySignature(sigPub, envelope.signature, signed)) && false)',
  ),
  crypto(
    'envelope',
    'ciphertext under the signature',
    'fixed(hash, HASH_BYTES).end()',
    'fixed(new Uint8Array(32), HASH_BYTES).end()',
  ),
  crypto(
    'envelope',
    'header under the signature',
    "label('msg-sig').bytes(headerBytes)",
    "label('msg-sig').bytes(new Uint8Array(0))",
  ),
  crypto(
    'envelope',
    'version and suite of an envelope',
    'if (reader.u8() !== VERSION || reader.u8() !== SUITE)',
    'if (reader.u8() + reader.u8() < 0)',
  ),
  crypto(
    'message',
    'header in the box (AAD)',
    "label('msg').bytes(headerBytes)",
    "label('msg').bytes(new Uint8Array(0))",
  ),
  crypto('padding', 'mark of the padding', 'if (end < 0 || padded[end] !== MARK)', 'if (end < 0)'),
  crypto(
    'padding',
    'legal padded lengths',
    'length !== undefined && paddedLength(length) === length',
    'length !== undefined',
  ),
  crypto('bytes', 'one base64 for one text', 'toBase64(bytes) !== text', 'false'),

  // The password and the account (C2 to C7, C37).
  crypto(
    'password',
    'floor of the key derivation',
    'if (m < FLOOR.m || t < FLOOR.t || p < FLOOR.p || salt.length < FLOOR.saltBytes)',
    'if (m < 0)',
  ),
  crypto(
    'password',
    'ceiling of the key derivation',
    'if (m > CEILING.m || t > CEILING.t || p > CEILING.p || salt.length > CEILING.saltBytes)',
    'if (m < 0)',
  ),
  crypto('password', 'two secrets from one password', "utf8(label('kek'))", "utf8(label('auth'))"),
  crypto('account', 'own identity at log-in', "if (!ours) throw new CryptoError('OWN_IDENTITY_MISMATCH')", 'void ours'),
  crypto('account', 'person and lock of a wrapped master key', "label('mk').id(userId).text(lock)", "label('mk')"),
  crypto('account', 'version of the settings', '.u32(version).end()', '.u32(0).end()'),
  crypto(
    'keyring',
    'person of a keyring',
    "new Writer().label('keyring').id(userId).end()",
    "new Writer().label('keyring').end()",
  ),
  crypto(
    'recovery-key',
    'checksum of a recovery key',
    'if ((await checksum(bytes)) !== clean.slice(KEY_CHARS))',
    'if (clean.length < 0)',
  ),

  // Identities (C6).
  crypto(
    'identity',
    'self-signature of an identity',
    "if (!(await verifySignature(identity.sigPub, signed.selfSig, signed.record))) refuse('self signature');",
    '',
  ),
  crypto(
    'identity',
    'signature of the keys before',
    "if (!(await verifySignature(before.sigPub, signature, signed.record))) refuse('previous signature');",
    'void signature;',
  ),
  crypto(
    'identity',
    'hash of the identity before',
    "if (!bytesEqual(await primitives.sha256(previous.record), identity.prevHash)) refuse('previous hash');",
    '',
  ),
  crypto(
    'identity',
    'next generation of the same person',
    "if (identity.kind === 'first' || identity.userId !== before.userId || identity.gen !== before.gen + 1)",
    "if (identity.kind === 'first')",
  ),
  crypto(
    'identity',
    'first identity is generation 0',
    "if (identity.kind !== 'first' || identity.gen !== 0) refuse('not the first');",
    '',
  ),

  // Epoch records (C8, C33).
  crypto(
    'apply-epoch',
    'signature of an epoch',
    "if (!(await verifySignature(key, signed.sig, signed.record))) throw new CryptoError('BAD_SIGNATURE');",
    'void key;',
  ),
  crypto(
    'apply-epoch',
    'members hash',
    "if (!bytesEqual(await hashMembers(members.values()), record.membersHash)) refuse('members hash');",
    '',
  ),
  crypto(
    'apply-epoch',
    'hash of the epoch before',
    "if (!bytesEqual(record.prevHash, previous.hash)) refuse('previous hash');",
    '',
  ),
  crypto(
    'apply-epoch',
    'number of an epoch',
    "if (record.epoch !== previous.record.epoch + 1 || record.kind === 'create') refuse('number');",
    '',
  ),
  crypto('apply-epoch', 'author is a member', "if (!author) refuse('author is not a member');", ''),
  crypto(
    'apply-epoch',
    'generation of the author',
    "if (record.authorGen !== signer.gen) refuse('author generation');",
    '',
  ),
  crypto(
    'apply-epoch',
    'who may add',
    "if (author.role < ROLE_MODERATOR && !anyoneAdds) refuse('add not allowed');",
    '',
  ),
  crypto(
    'apply-epoch',
    'nobody is added above the author',
    "if (added.role !== ROLE_MEMBER && author.role !== ROLE_ADMIN) refuse('added above the author');",
    '',
  ),
  crypto('apply-epoch', 'who may change roles', "if (author.role !== ROLE_ADMIN) refuse('role by no admin');", ''),
  crypto(
    'apply-epoch',
    'a role change brings no keys',
    "if (!bytesEqual(member.fingerprint, present.fingerprint)) refuse('role with other keys');",
    '',
  ),
  crypto(
    'apply-epoch',
    'what a ratchet may do',
    'if (!ALLOWED[record.kind].has(op.op)) refuse(`${op.op} in ${record.kind}`);',
    '',
  ),
  crypto(
    'apply-epoch',
    'a direct conversation is two people for ever',
    "if (previous && record.direct && op.op !== 'rekey') refuse(`${op.op} in a direct conversation`);",
    '',
  ),
  crypto(
    'apply-epoch',
    'direct stays direct',
    "if (record.direct !== previous.record.direct) refuse('direct is for ever');",
    '',
  ),
  crypto(
    'apply-epoch',
    'conversation of an epoch',
    "if (record.conversationId !== previous.record.conversationId) refuse('conversation');",
    '',
  ),
  crypto(
    'apply-epoch',
    'newer keys only',
    "if (!present || member.role !== present.role || member.gen <= present.gen) refuse('rekey');",
    '',
  ),
  crypto(
    'author-epoch',
    'a rotation brings a fresh key',
    "draft.kind === 'ratchet' ? await",
    'context.previousKey ? await',
  ),

  // Keys of epochs (C9, C35).
  crypto(
    'epoch-key',
    'commitment of an epoch key',
    'if (!bytesEqual(await keyCommitment(key, record), record.keyCommit))',
    'if (false)',
  ),
  crypto(
    'epoch-key',
    'place of a commitment',
    'label(purpose).id(conversationId).u32(epoch).end()',
    'label(purpose).end()',
  ),
  crypto('wrap', 'recipient of a wrap', 'return writer.id(to.userId).u32(to.gen).end();', 'return writer.end();'),
  crypto(
    'wrap',
    'epoch of a wrap',
    "label('wrap').id(to.conversationId).u32(to.epoch).fixed(to.recordHash, 32)",
    "label('wrap')",
  ),
  crypto(
    'wrap',
    'people of a grant',
    'return writer.id(to.fromUserId).id(to.userId).u32(to.gen).end();',
    'return writer.end();',
  ),
  crypto('wrap', 'head of a grant', "label('grant').id(to.conversationId).fixed(to.head, 32)", "label('grant')"),

  // What a receiver checks (C21 to C32).
  keyring(
    'opener',
    'row and header agree',
    "if (header.messageId !== id || header.epoch !== message.keyEpoch) throw new KeyringError('ROW_MISMATCH');",
    '',
  ),
  keyring(
    'opener',
    'conversation of an envelope',
    "if (header.conversationId !== expected.conversationId) throw new KeyringError('WRONG_CONVERSATION');",
    '',
  ),
  keyring(
    'opener',
    'type of an envelope',
    "if (!expected.types.includes(header.type)) throw new KeyringError('ROW_MISMATCH');",
    '',
  ),
  keyring(
    'opener',
    'hash of the epoch named',
    "if (!state || !bytesEqual(state.hash, header.epochHash)) throw new KeyringError('EPOCH_MISMATCH');",
    "if (!state) throw new KeyringError('EPOCH_MISMATCH');",
  ),
  keyring(
    'opener',
    'membership and generation of the sender',
    "if (!sender || sender.gen !== header.senderGen) throw new KeyringError('NOT_A_MEMBER');",
    "if (!sender) throw new KeyringError('NOT_A_MEMBER');",
  ),
  keyring(
    'opener',
    'fingerprint of the sender',
    "if (!bytesEqual(identity.fingerprint, sender.fingerprint)) throw new KeyringError('FORGED_SENDER');",
    '',
  ),
  keyring('opener', 'who may delete', "if (!may) throw new KeyringError('NOT_ALLOWED');", 'void may;'),
  keyring(
    'opener',
    'who may name a group',
    "if (verified.sender.role === ROLE_MEMBER) throw new KeyringError('NOT_ALLOWED');",
    '',
  ),
  keyring('opener', 'no message of an ended epoch', "throw new KeyringError('LATE_EPOCH')", 'void 0'),
  keyring('opener', 'tag of a reaction', "if (!bytesEqual(tag, header.aux)) throw new KeyringError('BAD_TAG');", ''),
  keyring(
    'opener',
    'who reacted',
    "if (!reaction.userIds.includes(header.senderId)) throw new KeyringError('ROW_MISMATCH');",
    '',
  ),
  keyring('seen', 'the same message at two places', "if (known.seq !== seq) throw new KeyringError('REPLAY');", ''),
  keyring('seen', 'order of revisions', "if (revision < known.revision) throw new KeyringError('ROLLBACK');", ''),
  keyring(
    'seen',
    'two contents of one revision',
    "if (revision === known.revision && hash !== known.hash) throw new KeyringError('EQUIVOCATION');",
    '',
  ),

  // What messages say of each other (C86, C88).
  {
    name: 'hash of what was seen, and answered',
    file: 'src/client/claims.ts',
    find: "row.hash === null || row.hash === hash ? 'fine' : { doubt, ask: row.id }",
    replace: "'fine'",
  },
  {
    name: 'a place left empty that somebody saw filled',
    file: 'src/client/claims.ts',
    find: 'seqOf(next) === seq ? undefined : next;',
    replace: 'seqOf(next) === seq ? undefined : undefined;',
  },
  {
    name: 'nobody has seen what comes after his message',
    file: 'src/client/claims.ts',
    find: "if (about.seq >= seq) return { doubt: 'missing', ask: messageId };",
    replace: '',
  },
  {
    name: 'an edited message proves nothing',
    file: 'src/client/claims.ts',
    find: 'said && !isEdited && !isDeleted ? said.hash : null',
    replace: 'said ? said.hash : null',
  },
  {
    name: 'a doubt is asked about before it is shown',
    file: 'src/client/claims.ts',
    find: '? true : undefined;',
    replace: '? true : true;',
  },
  {
    ...keyring(
      'opener',
      'the newest that the sender had seen',
      "header.type === 'message' && header.prevSeq > 0",
      'header.prevSeq < 0',
    ),
    tests: ['tests/client/gaps.pg'],
  },

  // What a device holds against the server (C34 to C37).
  keyring(
    'epoch-log',
    'history taken back',
    "if (!first) throw new KeyringError('EPOCH_ROLLBACK');",
    'if (!first) return;',
  ),
  keyring('epoch-log', 'history written anew', "throw new KeyringError('EPOCH_FORK')", 'return'),
  keyring('epoch-log', 'keys of members vouched for', "throw new KeyringError('PIN_MISMATCH', userId)", 'continue'),
  keyring('identities', 'own identity later', "throw new KeyringError('OWN_IDENTITY_MISMATCH')", 'void 0'),
  keyring(
    'identities',
    'person of a chain',
    "if (verified.userId !== userId) throw new KeyringError('NO_IDENTITY', userId);",
    '',
  ),
  keyring('conversation-keys', 'commitment at the receiver', 'await checkCommitment(key, state.record);', ''),

  // Trust in people's keys (C70 to C73).
  keyring('identities', 'pins', "throw new KeyringError('PIN_MISMATCH', userId);", 'continue;'),
  keyring(
    'identities',
    'a compared person with other keys',
    "throw new KeyringError('contact_changed', userId)",
    'continue',
  ),
  keyring(
    'identities',
    'pins of those who are said to be as they were',
    'for (const [userId, known] of same) this.#checkPin(table, userId, known);',
    '',
  ),
  keyring('identities', 'newer keys of mine', "throw new KeyringError('OWN_IDENTITY_ROLLBACK');", ''),
  keyring(
    'identities',
    'which generation was unsigned',
    "record.kind === 'reset')?.record.gen ?? 0",
    "record.kind === 'reset' && false)?.record.gen ?? 0",
  ),
  keyring('pins', 'a reset ends a comparison', "pin.reset > pin.vouch.gen ? 'changed' : 'verified'", "'verified'"),
  keyring('pins', 'later decisions stand', 'b.rev > a.rev ||', 'true ||'),
  keyring('pins', 'generations do not go back', 'b.gen > a.gen ? b : a', 'b'),
  keyring(
    'pins',
    'two people shown for one',
    'mine !== undefined && contradicts(mine, theirs)',
    'mine !== undefined && contradicts(mine, theirs) && false',
  ),
  keyring('settings', 'older settings', "throw new KeyringError('SETTINGS_ROLLBACK');", ''),
  keyring('trust', 'the number that was compared', "throw new KeyringError('contact_changed', userId);\n    }", '}'),

  // Keys that come other ways, and wear (C80 to C84).
  keyring('sealer', 'worn keys seal nothing new', "throw new KeyringError('EPOCH_WORN')", 'void 0'),
  crypto(
    'keychain',
    'person and conversation of a keychain',
    "label('keychain').id(userId).id(conversationId).u32(gen)",
    "label('keychain')",
  ),

  // What the server refuses (C40 to C42, C60 to C66).
  server(
    'recovery',
    'proof of the recovery key',
    'if (!isRight || !found || verifier === null)',
    'if (!found || verifier === null)',
    'tests/server/account.pg',
  ),
  server(
    'recovery',
    'the password of a repeat',
    'if (!(await deps.passwords.verify(password, found.hash))) return null;',
    '',
    'tests/server/account.pg',
  ),
  server(
    'recovery',
    'the lock of a repeat',
    '|| !timingSafeEqual(found.verifier, bytesOf(recoveryVerifier))',
    '',
    'tests/server/account.pg',
  ),
  server(
    'account-keys',
    'the lock of a repeated new password',
    'bytesEqual(lock, bytesOf(wrappedMasterKey.password)) && ',
    '',
    'tests/server/account.pg',
  ),
  server(
    'account-keys',
    'the password of a repeated new password',
    ' && deps.passwords.verify(password, found.hash)',
    '',
    'tests/server/account.pg',
  ),
  server(
    'account-codes',
    'the right code',
    '|| !timingSafeEqual(found.hash, hashOf(deps, of, code))',
    '',
    'tests/server/account.pg',
  ),
  server('account-codes', 'attempts at a code', ', lt(accountCodes.attempts, ATTEMPTS)', '', 'tests/server/account.pg'),
  server(
    'recovery',
    'a code is good for one act',
    "await spendCode(tx, deps, { userId, purpose: 'reset' }, input.code);",
    '',
    'tests/server/account.pg',
  ),
  server(
    'account-keys',
    'of two changes at once, one',
    "if (user?.hash !== proven) throw new ParleyError('FORBIDDEN', 'invalid_credentials');",
    '',
    'tests/server/account.pg',
  ),
  server(
    'account-keys',
    'the password before another',
    'if (!(await deps.passwords.verify(',
    'if (false && !(await deps.passwords.verify(',
    'tests/server/account.pg',
    'tests/server/auth.pg',
  ),
  server(
    'epochs',
    'wraps for exactly those who need one',
    'requireExactWraps(parsed, state);',
    'void requireExactWraps;',
    'tests/server/conversations.pg',
  ),
  server(
    'epochs',
    'author of an epoch',
    "if (record.authorId !== authorId) throw bad('the epoch has another author');",
    '',
    'tests/server/conversations.pg',
  ),
  server(
    'epochs',
    'keys of members at the server',
    'if (row.gen !== gen || !bytesEqual(row.fingerprint, fingerprint))',
    'if (row.gen < 0)',
    'tests/server/conversations.pg',
    'tests/server/account.pg',
  ),
  server(
    'envelopes',
    'epoch of an edit',
    "throw new ParleyError('CONFLICT', 'epoch_stale')",
    'void 0',
    'tests/server/messages.pg',
  ),
  {
    ...server(
      '',
      'epoch of a new message',
      "or c.epoch_hash <> decode(i.epoch_hash, 'hex') then",
      'then',
      'tests/server/messages.pg',
    ),
    file: 'src/server/db/store-messages.ts',
  },
  {
    ...server(
      '',
      'keys in force of whoever sends',
      'when p.key_gen <> i.gen then',
      'when false then',
      'tests/server/messages.pg',
    ),
    file: 'src/server/db/store-messages.ts',
  },
  server(
    'envelopes',
    'padding at the server',
    "if (!isPadded(ciphertext)) throw new ParleyError('BAD_REQUEST', 'not_padded');",
    '',
    'tests/server/messages.pg',
  ),
  server(
    'envelopes',
    'header and call agree',
    'if (mismatch) throw badFormat(`the envelope names another ${mismatch}`);',
    '',
    'tests/server/messages.pg',
  ),
  server(
    'envelopes',
    'keys in force of a sender',
    "if (header.senderGen !== membership.keyGen) throw new ParleyError('CONFLICT', 'identity_stale');",
    '',
    'tests/server/messages.pg',
  ),

  // Files: who may read, write and send them (P21, P27).
  files('domain/files', 'who sees the message of a file', 'if (!isMine && !isSeen) throw notFound();', 'void isMine;'),
  files('domain/files', 'files from before one joined', 'seq !== null && seq > visibleFromSeq', 'seq !== null'),
  files(
    'domain/files',
    'files of a conversation that one has left',
    '    isNull(conversationParticipants.leftAt),\n',
    '',
  ),
  files('domain/files', 'whole files only', 'if (!row || row.completedAt === null)', 'if (!row)'),
  files(
    'domain/files',
    'uploads of others',
    '        eq(attachments.uploaderId, userId),\n        isNull',
    '        isNull',
  ),
  files(
    'domain/files',
    'unsent files of others',
    'file.messageId === null && file.uploaderId',
    "file.messageId === null && ''.concat",
  ),
  files('domain/files', 'quota', 'if (bytes + size > quotaBytes)', 'if (bytes < 0)'),
  files('domain/files', 'quota of two at once', ".for('no key update')", ''),
  files('domain/files', 'legal lengths of files', 'if (!isPaddedLength(input.size))', 'if (input.size < 0)'),
  files('domain/files', 'ids of the files of others', 'if (!same || removedAt !== null)', 'if (removedAt !== null)'),
  files('domain/uploads', 'no more bytes than announced', 'if ((piece.length ?? 0) > room) throw tooLong(row);', ''),
  files('domain/uploads', 'bytes for where the upload is', 'if (piece.at !== offset)', 'if (piece.at < 0)'),
  files('db/store-messages', 'attachments of others', 'and h.uploader_id = w.sender_id and', 'and'),
  files('db/store-messages', 'attachments of one message', "when f.taken then 'attachment_taken'", ''),
  files('transport/files', 'files need a session', 'PATH = /^\\/files\\/(', 'PATH = /\\/files\\/.*?('),
];
