/** keys.*: the directory of public keys, and each caller's own wrapped ones. */
import type { TRPCRouterRecord } from '@trpc/server';
import { z } from 'zod';
import { NewRecoveryKey, OpenAccount, RotateIdentity } from '#protocol/account';
import { Account, ChangePassword } from '#protocol/auth';
import { ConversationSeen } from '#protocol/conversation';
import {
  EpochOfConversation,
  EpochsInput,
  GrantsInput,
  IdentitiesInput,
  IdentityOfUser,
  Keychain,
  KeychainsInput,
  OwnGrant,
  OwnKeychain,
  OwnWrap,
  RotateInput,
  SettingsInput,
  StoredSettings,
  LogInput,
  LogPage,
  UnreadableReport,
  WrapsInput,
} from '#protocol/keys';
import { rotateIdentity } from '../domain/account-identity.ts';
import { changePassword, newRecoveryKey, openAccount, readSettings, saveSettings } from '../domain/account-keys.ts';
import { keychainsOf, putKeychain } from '../domain/keychains.ts';
import { readLog } from '../domain/identity-log.ts';
import { epochsOf, grantsOf, identitiesOf, wrapsOf } from '../domain/keys.ts';
import { rotate } from '../domain/participants.ts';
import { authedProcedure } from '../trpc.ts';
import { recoveryRouter } from './recovery.ts';

const Done = z.object({ success: z.literal(true) });

export const keysRouter = {
  ...recoveryRouter,
  identities: authedProcedure
    .input(IdentitiesInput)
    .output(z.array(IdentityOfUser))
    .query(({ ctx, input }) => identitiesOf(ctx.deps.db, input.userIds, input.known)),
  epochs: authedProcedure
    .input(EpochsInput)
    .output(z.array(EpochOfConversation))
    .query(({ ctx, input }) => epochsOf(ctx.deps.db, ctx.session.userId, input)),
  wraps: authedProcedure
    .input(WrapsInput)
    .output(z.array(OwnWrap))
    .query(({ ctx, input }) => wrapsOf(ctx.deps.db, ctx.session.userId, input)),
  grants: authedProcedure
    .input(GrantsInput)
    .output(z.array(OwnGrant))
    .query(({ ctx, input }) => grantsOf(ctx.deps.db, ctx.session.userId, input.conversationId)),
  /** Those there are, of these conversations. */
  keychains: authedProcedure
    .input(KeychainsInput)
    .output(z.array(OwnKeychain))
    .query(({ ctx, input }) => keychainsOf(ctx.deps.db, ctx.session.userId, input.conversationIds)),
  report: authedProcedure
    .input(UnreadableReport)
    .output(z.object({ success: z.literal(true) }))
    .mutation(async ({ ctx, input }) => {
      await ctx.deps.limits.take('report', ctx.session.userId);
      ctx.deps.metrics.unreadable.inc({ reason: input.reason }, input.count);
      return { success: true as const };
    }),
  putKeychain: authedProcedure
    .input(Keychain)
    .output(z.object({ success: z.literal(true) }))
    .mutation(async ({ ctx, input }) => {
      await putKeychain(ctx.deps, ctx.session.userId, input);
      return { success: true as const };
    }),
  rotate: authedProcedure
    .input(RotateInput)
    .output(ConversationSeen)
    .mutation(({ ctx, input }) => rotate(ctx.deps, ctx.session.userId, input)),
  changePassword: authedProcedure
    .input(ChangePassword)
    .output(Done)
    .mutation(({ ctx, input }) => changePassword(ctx.deps, ctx.session, input)),
  account: authedProcedure
    .input(OpenAccount)
    .output(Account.extend({ hasRecoveryKey: z.boolean() }))
    .mutation(({ ctx, input }) => openAccount(ctx.deps, ctx.session.userId, input)),
  newRecoveryKey: authedProcedure
    .input(NewRecoveryKey)
    .output(Done)
    .mutation(({ ctx, input }) => newRecoveryKey(ctx.deps, ctx.session.userId, input)),
  rotateIdentity: authedProcedure
    .input(RotateIdentity)
    .output(Done)
    .mutation(({ ctx, input }) => rotateIdentity(ctx.deps, ctx.session, input)),
  settings: authedProcedure
    .input(SettingsInput)
    .output(z.object({ version: z.int() }))
    .mutation(({ ctx, input }) => saveSettings(ctx.deps, ctx.session.userId, input)),
  log: authedProcedure
    .input(LogInput)
    .output(LogPage)
    .query(({ ctx, input }) => readLog(ctx.deps.db, ctx.session.userId, input?.after ?? null)),
  readSettings: authedProcedure
    .output(StoredSettings.nullable())
    .query(({ ctx }) => readSettings(ctx.deps.db, ctx.session.userId)),
} satisfies TRPCRouterRecord;
