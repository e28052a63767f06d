/** Owns the one error the SDK rejects with: tRPC's code for what kind, the server's stable reason for what exactly. */
import type { ErrorCode } from '#protocol/errors';

export class SdkError extends Error {
  /** `NETWORK`: no answer, nothing is known about the outcome. `CRYPTO`: refused on this device, `reason` says why. */
  readonly code: ErrorCode | 'NETWORK' | 'CRYPTO' | 'TIMEOUT' | 'CLOSED';
  readonly reason: string;
  readonly retryAfterMs: number | undefined;

  constructor(
    code: SdkError['code'],
    reason: string,
    extra: { retryAfterMs?: number | undefined; cause?: unknown } = {},
  ) {
    super(`${code}: ${reason}`, { cause: extra.cause });
    this.name = 'SdkError';
    this.code = code;
    this.reason = reason;
    this.retryAfterMs = extra.retryAfterMs;
  }
}

interface WireData {
  code?: ErrorCode;
  reason?: string;
  retryAfterMs?: number;
}

/** Whatever went wrong below, in the words of the SDK. Defects (TypeError and the like) pass as they are. */
export function toSdkError(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof SdkError) return error;
  if (error.name === 'TRPCClientError') {
    const { data } = error as Error & { data?: WireData | null };
    if (!data?.code) return new SdkError('NETWORK', 'network', { cause: error });
    const { code, reason = 'internal', retryAfterMs } = data;
    return new SdkError(code, reason, { retryAfterMs, cause: error });
  }
  const { code } = error as Error & { code?: unknown };
  if (error.name === 'KeyringError' || error.name === 'CryptoError') {
    return new SdkError('CRYPTO', String(code), { cause: error });
  }
  // It has been to the worker and back, and lost its class there.
  if (error.name === 'SdkError') {
    const { reason, retryAfterMs } = error as SdkError;
    return new SdkError(code as SdkError['code'], reason, { retryAfterMs, cause: error });
  }
  return error;
}

export async function inSdkWords<T>(task: Promise<T> | (() => Promise<T>)): Promise<T> {
  try {
    return await (typeof task === 'function' ? task() : task);
  } catch (error) {
    throw toSdkError(error);
  }
}

export const isReason = (error: unknown, ...reasons: string[]): boolean =>
  error instanceof SdkError && reasons.includes(error.reason);

/** The same call may succeed later without anybody changing anything. */
export const isTransient = (error: unknown): error is SdkError =>
  error instanceof SdkError &&
  (['NETWORK', 'TIMEOUT', 'TOO_MANY_REQUESTS', 'SERVICE_UNAVAILABLE'] as string[]).includes(error.code);

/** At the start everything but a plain refusal is tried again: there is nothing to show without it. */
export const mayPass = (error: unknown): error is SdkError =>
  isUndecided(error) || (error instanceof SdkError && error.code === 'INTERNAL_SERVER_ERROR');

/** Nothing is decided: it is transient, or the token has ended on the way. The next socket brings a new one, or the session is over. */
export const isUndecided = (error: unknown): error is SdkError =>
  isTransient(error) || (error instanceof SdkError && error.code === 'UNAUTHORIZED');
