/** Notifications for as long as somebody is signed in and wants them; their code is loaded for those people only. */
import { useEffect } from 'react';
import { tellProblem } from '../ui/toast.tsx';
import { followStanding, useStanding } from './standing.ts';

export function useNotifying(): void {
  const on = useStanding() === 'on';
  useEffect(followStanding, []);
  useEffect(() => {
    if (!on) return;
    const ending = new AbortController();
    import('./notifying.ts').then(({ notify }) => notify(ending.signal), tellProblem);
    return () => ending.abort();
  }, [on]);
}
