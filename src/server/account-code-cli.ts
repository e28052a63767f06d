/**
 * `npm run account:code -- <user name> [reset|recover|unlock]`: the operator's way to vouch for somebody who has lost
 * everything but the operator's trust. Prints a code that is good for 15 minutes.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CodePurpose } from '#protocol/account';
import { connect } from './db/client.ts';
import { issueCode } from './domain/account-codes.ts';
import { findByLogin } from './domain/recovery.ts';
import { type Env, readEnv } from './env.ts';
import { createLog } from './observe/log.ts';
import { loadSecrets } from './secrets.ts';

/** The fourth line of a running PostgreSQL's pid file is its port. */
async function embeddedUrl({ dataDir }: Env): Promise<string> {
  const read = async (name: string) => (await readFile(join(dataDir, name), 'utf8')).trim();
  try {
    const [password, pidFile] = await Promise.all([read('postgres.password'), read('postgres/postmaster.pid')]);
    return `postgres://parley:${password}@127.0.0.1:${pidFile.split('\n')[3]}/parley`;
  } catch (cause) {
    throw new Error(`No database is running in ${dataDir}. Start the server first, or set DATABASE_URL.`, { cause });
  }
}

async function printCode(login: string, purpose: CodePurpose): Promise<void> {
  const env = readEnv();
  const log = createLog({ level: 'error' });
  const [url, secrets] = await Promise.all([env.databaseUrl ?? embeddedUrl(env), loadSecrets(env)]);
  const { db, close } = await connect({ url, pool: 1, log, checkDurability: false });
  try {
    const user = await findByLogin({ db }, login);
    if (!user) throw new Error(`There is nobody called ${login}.`);
    process.stdout.write(`${await issueCode({ db, secrets, now: Date.now }, { userId: user.id, purpose })}\n`);
  } finally {
    await close();
  }
}

const [login, purpose] = process.argv.slice(2);
const parsed = CodePurpose.safeParse(purpose ?? 'reset');
if (login === undefined || !parsed.success) {
  process.stderr.write('npm run account:code -- <user name> [reset|recover|unlock]\n');
  process.exitCode = 2;
} else {
  await printCode(login, parsed.data).catch((error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  });
}
