/** People. */
import type { TRPCRouterRecord } from '@trpc/server';
import { z } from 'zod';
import { Me, SearchUsers, UpdateUser, User, UsersByIds } from '#protocol/user';
import { findMe } from '../domain/accounts.ts';
import { searchUsers, updateUser, usersByIds } from '../domain/users.ts';
import { authedProcedure } from '../trpc.ts';

export const usersRouter = {
  me: authedProcedure.output(Me).query(({ ctx }) => findMe(ctx.deps, ctx.session.userId)),
  update: authedProcedure
    .input(UpdateUser)
    .output(Me)
    .mutation(({ ctx, input }) => updateUser(ctx.deps, ctx.session.userId, input)),
  search: authedProcedure
    .input(SearchUsers)
    .output(z.array(User))
    .query(({ ctx, input }) => searchUsers(ctx.deps, input)),
  byIds: authedProcedure
    .input(UsersByIds)
    .output(z.array(User))
    .query(({ ctx, input }) => usersByIds(ctx.deps, input.userIds)),
} satisfies TRPCRouterRecord;
