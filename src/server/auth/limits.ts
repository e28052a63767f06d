/** How long things of an account live. */

/** A device that was not used for so long has to log in again. Each refresh starts it anew. */
export const REFRESH_TTL_S = 60 * 24 * 60 * 60;
