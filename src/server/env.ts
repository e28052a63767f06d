/** The environment, read and checked once. Nobody else looks at `process.env`, so this file is the list of all settings. */
import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { z } from 'zod';
import { LIMITS } from '#protocol/limits';

const text = z.string().trim().min(1);
const GIB = 1024 ** 3;
const key32 = text.refine((value) => Buffer.from(value, 'base64').length === 32, 'must be base64 of 32 bytes');

const Variables = z.object({
  NODE_ENV: z.string().optional(),
  PORT: z.coerce.number().int().min(0).max(65_535).default(3000),
  HOST: text.default('127.0.0.1'),
  PROCESSES: z.union([z.literal('auto'), z.coerce.number().int().min(1).max(64)]).default(1),
  DATABASE_URL: text.regex(/^postgres(ql)?:\/\//, 'must begin with postgres://').optional(),
  /** Connections of this process to Postgres, beside the five of the hot path (db/client.ts). */
  DATABASE_POOL: z.coerce.number().int().min(2).max(200).default(16),
  REDIS_URL: text.regex(/^rediss?:\/\//, 'must begin with redis:// or rediss://').optional(),
  DATA_DIR: text.default('./data'),
  SECRETS_FILE: text.optional(),
  FILES_DIR: text.optional(),
  PUBLIC_URL: z.url({ protocol: /^https?$/ }).optional(),
  ACCESS_TOKEN_TTL: z.coerce.number().int().min(5).max(86_400).default(900),
  RATE_LIMITS: z.enum(['on', 'off', 'off!']).default('on'),
  LOG_LEVEL: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']).default('info'),
  /** Reverse proxies in front of us whose X-Forwarded-For is believed. */
  TRUST_PROXY: z.coerce.number().int().min(0).max(10).default(0),
  JWT_PRIVATE_JWK: text.optional(),
  PASSWORD_PEPPER: key32.optional(),
  AT_REST_KEY: key32.optional(),
  VAPID_PUBLIC_KEY: text.regex(/^[\w-]{87}$/, 'must be 65 bytes in base64url').optional(),
  VAPID_PRIVATE_KEY: text.regex(/^[\w-]{43}$/, 'must be 32 bytes in base64url').optional(),
  VAPID_SUBJECT: text.regex(/^(mailto:.+@|https:\/\/).+/, 'must begin with mailto: or https://').optional(),
  JOBS: z.enum(['on', 'off']).default('on'),
  SMTP_URL: text.regex(/^smtps?:\/\/.+/, 'must begin with smtp:// or smtps://').optional(),
  MAIL_FROM: text.optional(),
  FILE_MAX_BYTES: z.coerce
    .number()
    .int()
    .min(1)
    .max(Number.MAX_SAFE_INTEGER)
    .default(2 * GIB),
  FILES_QUOTA_BYTES: z.coerce
    .number()
    .int()
    .min(1)
    .max(Number.MAX_SAFE_INTEGER)
    .default(10 * GIB),
  FILES_PER_MESSAGE: z.coerce
    .number()
    .int()
    .min(1)
    .max(LIMITS.attachments / 2)
    .default(10),
  FILES_ORPHAN_HOURS: z.coerce.number().min(0.01).max(8_760).default(24),
  S3_ENDPOINT: z.url({ protocol: /^https?$/ }).optional(),
  S3_REGION: text.default('us-east-1'),
  S3_BUCKET: text.optional(),
  S3_ACCESS_KEY_ID: text.optional(),
  S3_SECRET_ACCESS_KEY: text.optional(),
  S3_FORCE_PATH_STYLE: z.enum(['on', 'off']).default('on'),
});

export interface S3Settings {
  readonly endpoint: string;
  readonly region: string;
  readonly bucket: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly forcePathStyle: boolean;
}

export interface Env {
  readonly production: boolean;
  readonly port: number;
  readonly host: string;
  /** That share the port; more than one need a Redis. */
  readonly processes: number;
  /** Unset: a PostgreSQL of our own in `dataDir`. */
  readonly databaseUrl: string | undefined;
  readonly databasePool: number;
  /** Unset: this is the only node, and everything it would share is kept in the process and in Postgres. */
  readonly redisUrl: string | undefined;
  readonly dataDir: string;
  readonly secretsFile: string;
  readonly files: {
    /** Where they are kept when there is no `s3`; shared by all nodes. */
    readonly dir: string;
    readonly maxBytes: number;
    /** Per person. */
    readonly quotaBytes: number;
    readonly perMessage: number;
    /** Uploads that nobody goes on with or sends are removed after so long. */
    readonly orphanMs: number;
    readonly s3: S3Settings | undefined;
  };
  /** An origin, without a trailing slash. */
  readonly publicUrl: string;
  readonly accessTokenTtlS: number;
  readonly rateLimits: boolean;
  readonly logLevel: string;
  readonly trustProxy: number;
  readonly secrets: {
    readonly jwtPrivateJwk: string | undefined;
    readonly pepper: string | undefined;
    readonly atRestKey: string | undefined;
    readonly vapid?: { readonly publicKey: string; readonly privateKey: string } | undefined;
  };
  /** How a push service reaches the operator: a mailto: or https: address (RFC 8292 section 2.1). */
  readonly vapidSubject: string;
  /** False: this process only adds jobs, `npm run worker` does them. */
  readonly jobs: boolean;
  /** Unset: account codes are handed out by the operator (`npm run account:code`). */
  readonly smtpUrl: string | undefined;
  readonly mailFrom: string;
}

/** Everything that is wrong with the environment, one line per variable; values are left out, some are secrets. */
export class EnvError extends Error {
  constructor(problems: readonly string[]) {
    super(`The environment is not usable:\n${problems.map((problem) => `  - ${problem}`).join('\n')}`);
    this.name = 'EnvError';
  }
}

/** @throws EnvError naming all problems at once. */
export function readEnv(source: Readonly<Record<string, string | undefined>> = process.env): Env {
  // An empty variable means unset: compose files and CI systems cannot leave one out.
  const present = Object.fromEntries(Object.entries(source).filter(([, value]) => value !== undefined && value !== ''));
  const parsed = Variables.safeParse(present);
  const problems = parsed.error?.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`) ?? [];
  if (present.NODE_ENV === 'production' && present.RATE_LIMITS === 'off')
    problems.push('RATE_LIMITS: off is refused when NODE_ENV=production; if it is really meant, set RATE_LIMITS=off!');
  if ((present.VAPID_PUBLIC_KEY === undefined) !== (present.VAPID_PRIVATE_KEY === undefined))
    problems.push('VAPID_PUBLIC_KEY, VAPID_PRIVATE_KEY: set both or neither');
  const missing = ['S3_BUCKET', 'S3_ACCESS_KEY_ID', 'S3_SECRET_ACCESS_KEY'].filter((name) => !(name in present));
  if (present.S3_ENDPOINT !== undefined && missing.length > 0)
    problems.push(`${missing.join(', ')}: needed with S3_ENDPOINT`);
  const asked = parsed.data?.PROCESSES ?? 1;
  const processes = asked === 'auto' ? availableParallelism() : asked;
  if (processes > 1 && present.REDIS_URL === undefined)
    problems.push('PROCESSES: more than one process needs REDIS_URL, over which they hear of each other');
  if (!parsed.success || problems.length > 0) throw new EnvError(problems);

  const v = parsed.data;
  const publicUrl = new URL(v.PUBLIC_URL ?? `http://localhost:${v.PORT}`);
  const dataDir = resolve(v.DATA_DIR);
  return {
    production: v.NODE_ENV === 'production',
    port: v.PORT,
    host: v.HOST,
    processes,
    databaseUrl: v.DATABASE_URL,
    databasePool: v.DATABASE_POOL,
    redisUrl: v.REDIS_URL,
    dataDir,
    secretsFile: resolve(v.SECRETS_FILE ?? `${dataDir}/secrets.json`),
    files: {
      dir: resolve(v.FILES_DIR ?? `${dataDir}/files`),
      maxBytes: v.FILE_MAX_BYTES,
      quotaBytes: v.FILES_QUOTA_BYTES,
      perMessage: v.FILES_PER_MESSAGE,
      orphanMs: v.FILES_ORPHAN_HOURS * 3_600_000,
      s3:
        v.S3_ENDPOINT && v.S3_BUCKET && v.S3_ACCESS_KEY_ID && v.S3_SECRET_ACCESS_KEY
          ? {
              endpoint: v.S3_ENDPOINT,
              region: v.S3_REGION,
              bucket: v.S3_BUCKET,
              accessKeyId: v.S3_ACCESS_KEY_ID,
              secretAccessKey: v.S3_SECRET_ACCESS_KEY,
              forcePathStyle: v.S3_FORCE_PATH_STYLE === 'on',
            }
          : undefined,
    },
    publicUrl: publicUrl.origin,
    accessTokenTtlS: v.ACCESS_TOKEN_TTL,
    rateLimits: v.RATE_LIMITS === 'on',
    logLevel: v.LOG_LEVEL,
    trustProxy: v.TRUST_PROXY,
    secrets: {
      jwtPrivateJwk: v.JWT_PRIVATE_JWK,
      pepper: v.PASSWORD_PEPPER,
      atRestKey: v.AT_REST_KEY,
      vapid:
        v.VAPID_PUBLIC_KEY && v.VAPID_PRIVATE_KEY
          ? { publicKey: v.VAPID_PUBLIC_KEY, privateKey: v.VAPID_PRIVATE_KEY }
          : undefined,
    },
    vapidSubject:
      v.VAPID_SUBJECT ?? (publicUrl.protocol === 'https:' ? publicUrl.origin : `mailto:operator@${publicUrl.hostname}`),
    jobs: v.JOBS === 'on',
    smtpUrl: v.SMTP_URL,
    mailFrom: v.MAIL_FROM ?? `Parley <parley@${publicUrl.hostname}>`,
  };
}
