/** messages.*: sealed content in, sealed content out. */
import type { TRPCRouterRecord } from '@trpc/server';
import { z } from 'zod';
import {
  DeleteMessage,
  EditMessage,
  ListMessages,
  MessagePage,
  MessageSeen,
  React,
  ReactionSeen,
  SendMessage,
  Unreact,
} from '#protocol/message';
import { MessageRef, MessageStatus, SetStatus } from '#protocol/receipt';
import { listMessages } from '../domain/history.ts';
import { deleteMessage, editMessage, sendMessage } from '../domain/messages.ts';
import { react, unreact } from '../domain/reactions.ts';
import { listStatuses, setStatus } from '../domain/receipts.ts';
import { authedProcedure } from '../trpc.ts';

export const messagesRouter = {
  list: authedProcedure
    .input(ListMessages)
    .output(MessagePage)
    .query(({ ctx, input }) => listMessages(ctx.deps.db, ctx.session.userId, input)),
  /** The hot path: its answer is made field by field, so it is not parsed once more on the way out. */
  send: authedProcedure
    .input(SendMessage)
    .mutation(({ ctx, input }) => sendMessage(ctx.deps, ctx.session.userId, input)),
  edit: authedProcedure
    .input(EditMessage)
    .output(MessageSeen)
    .mutation(({ ctx, input }) => editMessage(ctx.deps, ctx.session.userId, input)),
  delete: authedProcedure
    .input(DeleteMessage)
    .output(z.object({ success: z.literal(true) }))
    .mutation(({ ctx, input }) => deleteMessage(ctx.deps, ctx.session.userId, input)),
  setStatus: authedProcedure
    .input(SetStatus)
    .mutation(({ ctx, input }) => setStatus(ctx.deps, ctx.session.userId, input)),
  statuses: authedProcedure
    .input(MessageRef)
    .output(z.array(MessageStatus))
    .query(({ ctx, input }) => listStatuses(ctx.deps, ctx.session.userId, input.messageId)),
  react: authedProcedure
    .input(React)
    .output(z.array(ReactionSeen))
    .mutation(({ ctx, input }) => react(ctx.deps, ctx.session.userId, input)),
  unreact: authedProcedure
    .input(Unreact)
    .output(z.array(ReactionSeen))
    .mutation(({ ctx, input }) => unreact(ctx.deps, ctx.session.userId, input)),
} satisfies TRPCRouterRecord;
