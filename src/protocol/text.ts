/** Text that can be stored and given back as it was: no NUL (Postgres refuses it), no half of a surrogate pair (it would come back as another character). */
import { z } from 'zod';

const STORABLE = /^[^\0\p{Surrogate}]*$/u;

export const text = () => z.string().regex(STORABLE, 'text: no NUL, no half characters');
