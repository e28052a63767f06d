/**
 * The suffix of a test file says what it needs: `*.test.ts` nothing, `*.pg.test.ts` a PostgreSQL (one for the whole run,
 * a database per file), `*.redis.test.ts` a redis-server besides, `*.faults.ts` processes of its own to be killed, `*.e2e.ts` real browsers and the built product.
 */
import { playwright } from '@vitest/browser-playwright';
import { defineConfig } from 'vitest/config';
import { launchOptions } from './tests/harness/chromium.ts';

const base = {
  environment: 'node' as const,
  testTimeout: 30_000,
  hookTimeout: 120_000,
  // It ends as soon as it holds. A machine that is busy is late, not wrong.
  expect: { poll: { timeout: 15_000 } },
};

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
      ...inChromium(),
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

/** The encryption once more, on the cryptography of a browser. Absent where there is no Chromium to run it in. */
function inChromium() {
  let options: ReturnType<typeof launchOptions>;
  try {
    options = launchOptions();
  } catch {
    return [];
  }
  return [
    {
      // Published vectors may lie beside the repository, or be linked to from there; this server is for the tests alone.
      server: { fs: { strict: false } },
      test: {
        name: 'chromium',
        testTimeout: 60_000,
        include: ['tests/crypto/*.test.ts', 'tests/client/keyring.test.ts'],
        // It compares the two implementations, one of which is Node's.
        exclude: ['tests/crypto/primitives.test.ts'],
        browser: {
          enabled: true,
          headless: true,
          screenshotFailures: false,
          provider: playwright({ launchOptions: options }),
          instances: [{ browser: 'chromium' as const }],
        },
      },
    },
  ];
}
