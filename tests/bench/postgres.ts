/** The CPU of a PostgreSQL: the postmaster's, and that of all it has started. */
import { readFileSync } from 'node:fs';
import type { World } from './world.ts';

export interface Cluster {
  /** So far, in microseconds; of those that have ended as well. */
  cpuUs(): number;
}

const fieldsOf = (pid: number) => {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
};
/** Of a process of one thread, as all of PostgreSQL's are; exact, where `stat` counts in hundredths of a second. */
function ranUs(pid: number): number {
  try {
    return Number(readFileSync(`/proc/${pid}/schedstat`, 'latin1').split(' ')[0]) / 1_000;
  } catch {
    // It has ended since it was listed, and counts with those from the next look on.
    return 0;
  }
}
const TICK_US = 10_000;

export async function clusterOf({ sql }: Pick<World, 'sql'>): Promise<Cluster> {
  const [backend] = await sql<{ pid: number }[]>`select pg_backend_pid() as pid`;
  const postmaster = Number(fieldsOf(backend?.pid ?? 0)[1]);
  return {
    cpuUs() {
      const children = readFileSync(`/proc/${postmaster}/task/${postmaster}/children`, 'latin1').trim().split(' ');
      const gone = fieldsOf(postmaster);
      const ended = (Number(gone[13]) + Number(gone[14])) * TICK_US;
      return children.reduce((sum, pid) => sum + ranUs(Number(pid)), ended + ranUs(postmaster));
    },
  };
}
