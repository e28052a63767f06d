/** Offline delivery with its jobs on Postgres, as a single node has them. */
import { offlineDeliverySuite } from './suite.ts';

offlineDeliverySuite('Postgres', async () => ({
  env: {},
  async lose({ db }) {
    await db.sql`truncate bullmq.job, bullmq.dedup, bullmq.dedup_next, bullmq.scheduler cascade`;
  },
  async [Symbol.asyncDispose]() {},
}));
