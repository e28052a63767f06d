/** What goes wrong, as stable words: tRPC's code says what kind, `reason` says what exactly. */

/** The tRPC codes this system answers with. */
export type ErrorCode =
  | 'BAD_REQUEST'
  | 'UNAUTHORIZED'
  | 'FORBIDDEN'
  | 'NOT_FOUND'
  | 'CONFLICT'
  | 'PAYLOAD_TOO_LARGE'
  | 'TOO_MANY_REQUESTS'
  | 'SERVICE_UNAVAILABLE'
  | 'INTERNAL_SERVER_ERROR';

/** Reasons a client may switch on. A reason keeps its meaning for ever; new ones may come. */
export type Reason =
  // BAD_REQUEST
  | 'invalid_input'
  | 'bad_format'
  | 'bad_signature'
  | 'not_padded'
  | 'bad_cursor'
  | 'password_not_derived'
  | 'self_conversation'
  | 'system_message_refused'
  | 'push_endpoint_refused'
  | 'attachment_unknown'
  | 'too_many_attachments'
  // UNAUTHORIZED
  | 'not_signed_in'
  | 'invalid_credentials'
  | 'token_expired'
  | 'session_revoked'
  | 'refresh_reused'
  // FORBIDDEN
  | 'role_too_low'
  | 'not_the_author'
  | 'direct_is_fixed'
  /** A code has to be asked for first (`keys.requestCode`), and to be given along. */
  | 'code_required'
  | 'invalid_code'
  // NOT_FOUND
  | 'not_found'
  // CONFLICT
  | 'username_taken'
  | 'email_taken'
  | 'user_id_taken'
  | 'conversation_id_taken'
  | 'conversation_archived'
  | 'message_id_taken'
  | 'reaction_id_taken'
  | 'revision_stale'
  | 'message_deleted'
  | 'already_reacted'
  | 'already_a_participant'
  | 'epoch_stale'
  | 'epoch_conflict'
  | 'rekey_required'
  | 'identity_stale'
  | 'last_admin'
  | 'settings_stale'
  | 'keychain_stale'
  | 'file_id_taken'
  | 'attachment_taken'
  /** The upload is elsewhere by now: the header `upload-offset` says where. */
  | 'offset_stale'
  // limits
  | 'too_large'
  | 'too_many_participants'
  | 'too_many_reactions'
  | 'file_too_large'
  | 'quota_exceeded'
  | 'too_many_files'
  | 'rate_limited'
  | 'overloaded'
  | 'internal';

export interface ErrorExtra {
  message?: string;
  /** Milliseconds after which the same call may succeed. */
  retryAfterMs?: number;
  /** The limit that was passed, in the unit of protocol/limits.ts. */
  limit?: number;
  cause?: unknown;
}

/** Thrown by the domain; `server/trpc.ts` is the one place where it becomes wire data. */
export class ParleyError extends Error {
  readonly code: ErrorCode;
  readonly reason: Reason;
  readonly retryAfterMs: number | undefined;
  readonly limit: number | undefined;

  constructor(code: ErrorCode, reason: Reason, extra: ErrorExtra = {}) {
    super(extra.message ?? reason.replaceAll('_', ' '), { cause: extra.cause });
    this.name = 'ParleyError';
    this.code = code;
    this.reason = reason;
    this.retryAfterMs = extra.retryAfterMs;
    this.limit = extra.limit;
  }
}

/** The answer for "does not exist" and for "exists, but not for you": byte for byte the same (P21). */
export const notFound = () => new ParleyError('NOT_FOUND', 'not_found');
