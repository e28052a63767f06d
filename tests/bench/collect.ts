/** The bench and its processes of load collect their own garbage before the clock runs, not while a server needs the second core. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');

export const collectGarbage = runInNewContext('gc') as (only?: { type: 'minor' }) => void;

/**
 * For who works right afterwards. A full collection throws away whatever was compiled for kinds of objects of which there are
 * none at that moment: a generator would compile its timers and writes anew in each round, for 3 to 7 ms each on the core that a
 * server needs.
 */
export const collectYoung = () => collectGarbage({ type: 'minor' });
