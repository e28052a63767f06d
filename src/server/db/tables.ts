/** Every table and view, for drizzle's query builder. */
export * from './schema/attachments.ts';
export * from './schema/conversations.ts';
export * from './schema/epochs.ts';
export * from './schema/messages.ts';
export * from './schema/push.ts';
export * from './schema/receipts.ts';
export * from './schema/sessions.ts';
export * from './schema/users.ts';
