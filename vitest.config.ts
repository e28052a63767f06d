/**
 * The suffix of a test file says what it needs: `*.test.ts` nothing, `*.pg.test.ts` a PostgreSQL (one for the whole run,
 * a database per file), `*.redis.test.ts` a redis-server besides, `*.faults.ts` processes of its own to be killed, `*.e2e.ts` real browsers and the built product.
 */
import { defineConfig } from 'vitest/config';

const base = { environment: 'node' as const, testTimeout: 30_000, hookTimeout: 120_000 };

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          ...base,
          name: 'unit',
          include: ['tests/**/*.test.{ts,tsx}'],
          exclude: ['tests/**/*.{pg,redis}.test.ts'],
        },
      },
      {
        test: { ...base, name: 'pg', include: ['tests/**/*.pg.test.ts'], globalSetup: ['tests/harness/postgres.ts'] },
      },
      {
        test: {
          ...base,
          name: 'redis',
          include: ['tests/**/*.redis.test.ts'],
          globalSetup: ['tests/harness/postgres.ts'],
        },
      },
      {
        // Processes of their own, which are killed: nothing else runs beside them.
        test: { ...base, name: 'faults', include: ['tests/faults/*.faults.ts'], testTimeout: 120_000 },
      },
      {
        test: {
          ...base,
          name: 'e2e',
          include: ['tests/**/*.e2e.ts'],
          globalSetup: ['tests/harness/postgres.ts'],
          testTimeout: 180_000,
          // Browsers are heavy; two at a time on a small machine make each other late.
          fileParallelism: false,
        },
      },
    ],
  },
});
