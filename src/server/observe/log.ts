/** The log: JSON lines (or pretty ones on a terminal) that hold no secret and no content, whatever is handed in (P25, P29). */
import { type DestinationStream, type Logger, pino } from 'pino';
import pretty from 'pino-pretty';

export type { Logger } from 'pino';

const SECRET_NAMES = [
  'authorization',
  'cookie',
  'password',
  'currentPassword',
  'token',
  'accessToken',
  'refreshToken',
  'contentEncrypted',
  'wrappedMasterKey',
  'keyring',
  'identity',
  'recoveryVerifier',
  'wraps',
  'title',
  'email',
  'login',
  'params',
  'parameters',
  'detail',
];
// pino's wildcard covers one level; three levels are deeper than anything we log.
const REDACTED = SECRET_NAMES.flatMap((name) => [name, `*.${name}`, `*.*.${name}`]);

/**
 * What of an error may be written. Database errors carry the values of the statement in `message`, `stack`, `detail`
 * and `params`, so only the names Postgres gives are kept.
 */
export function describeError(error: unknown, depth = 0): Record<string, unknown> {
  if (!(error instanceof Error)) return { type: typeof error };
  const fields = error as Error & Record<string, unknown>;
  const fromDatabase = 'query' in error || 'severity_local' in error || 'severity' in error;
  return {
    type: error.name,
    ...(fromDatabase ? {} : { message: error.message.slice(0, 500) }),
    ...(typeof fields.code === 'string' ? { code: fields.code } : {}),
    ...(typeof fields.constraint_name === 'string' ? { constraint: fields.constraint_name } : {}),
    ...(typeof fields.routine === 'string' ? { routine: fields.routine } : {}),
    ...(typeof fields.query === 'string' ? { query: fields.query.slice(0, 300) } : {}),
    frames: (error.stack ?? '')
      .split('\n')
      .filter((line) => line.startsWith('    at '))
      .slice(0, 12)
      .map((line) => line.trim()),
    ...(error.cause !== undefined && depth < 3 ? { cause: describeError(error.cause, depth + 1) } : {}),
  };
}

export interface LogOptions {
  readonly level: string;
  readonly destination?: DestinationStream | undefined;
}

export function createLog({ level, destination }: LogOptions): Logger {
  const stream = destination ?? (process.stdout.isTTY ? pretty({ sync: true, ignore: 'pid,hostname' }) : undefined);
  const options = {
    level,
    base: null,
    redact: { paths: REDACTED, censor: '[redacted]' },
    serializers: { err: (error: unknown) => describeError(error) },
    timestamp: pino.stdTimeFunctions.isoTime,
  };
  return stream === undefined ? pino(options) : pino(options, stream);
}
