/** conversations.*: who talks with whom. */
import type { TRPCRouterRecord } from '@trpc/server';
import {
  ConversationPage,
  ConversationRef,
  ConversationSeen,
  CreateDirect,
  CreateGroup,
  ListConversations,
  MuteConversation,
  UpdateConversation,
} from '#protocol/conversation';
import { AddParticipant, RemoveParticipant, SetRole } from '#protocol/participant';
import { accessConversation } from '../domain/access.ts';
import { archiveConversation, updateConversation } from '../domain/conversation-changes.ts';
import { listConversations, seeConversation } from '../domain/conversation-list.ts';
import { createDirect, createGroup } from '../domain/conversations.ts';
import { muteConversation } from '../domain/mutes.ts';
import { addParticipant, removeParticipant, setRole } from '../domain/participants.ts';
import { authedProcedure } from '../trpc.ts';

const conversation = authedProcedure.output(ConversationSeen);

export const conversationsRouter = {
  /** Idempotent per pair: an existing conversation is returned as it is. */
  createDirect: conversation
    .input(CreateDirect)
    .mutation(({ ctx, input }) => createDirect(ctx.deps, ctx.session.userId, input)),
  createGroup: conversation
    .input(CreateGroup)
    .mutation(({ ctx, input }) => createGroup(ctx.deps, ctx.session.userId, input)),
  list: authedProcedure
    .input(ListConversations)
    .output(ConversationPage)
    .query(({ ctx, input }) => listConversations(ctx.deps.db, ctx.session.userId, input)),
  get: conversation.input(ConversationRef).query(async ({ ctx, input }) => {
    const { db } = ctx.deps;
    return seeConversation(db, await accessConversation(db, ctx.session.userId, input.conversationId));
  }),
  addParticipant: conversation
    .input(AddParticipant)
    .mutation(({ ctx, input }) => addParticipant(ctx.deps, ctx.session.userId, input)),
  /** Yourself = leave, without an epoch. */
  removeParticipant: conversation
    .input(RemoveParticipant)
    .mutation(({ ctx, input }) => removeParticipant(ctx.deps, ctx.session.userId, input)),
  setRole: conversation.input(SetRole).mutation(({ ctx, input }) => setRole(ctx.deps, ctx.session.userId, input)),
  update: conversation
    .input(UpdateConversation)
    .mutation(({ ctx, input }) => updateConversation(ctx.deps, ctx.session.userId, input)),
  mute: conversation
    .input(MuteConversation)
    .mutation(({ ctx, input }) => muteConversation(ctx.deps, ctx.session.userId, input)),
  archive: conversation
    .input(ConversationRef)
    .mutation(({ ctx, input }) => archiveConversation(ctx.deps, ctx.session.userId, input.conversationId)),
} satisfies TRPCRouterRecord;
