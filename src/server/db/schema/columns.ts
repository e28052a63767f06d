/** Column makers shared by the tables: one spelling of times, bytes and transaction ids. */
import { customType, timestamp } from 'drizzle-orm/pg-core';

export const bytea = customType<{ data: Uint8Array; driverData: Uint8Array }>({ dataType: () => 'bytea' });

/** A 64-bit transaction id that never wraps: what resume cursors are compared with. Kept as text outside the database. */
export const xid8 = customType<{ data: string; driverData: string }>({ dataType: () => 'xid8' });

/** Times are shown to people; they are never cursors. */
export const time = (name: string) => timestamp(name, { withTimezone: true, precision: 3, mode: 'date' });
