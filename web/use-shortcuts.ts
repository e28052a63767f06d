/** Keys that work everywhere: Ctrl/Cmd+K goes anywhere, Alt+Up and Alt+Down walk through the conversations. */
import { useEffect } from 'react';
import { navigate } from 'wouter/use-browser-location';
import { peekChat } from './chat.ts';
import { setUi } from './ui-state.ts';

function walk(step: 1 | -1): void {
  const ids = peekChat().conversationIds;
  const here = ids.indexOf(window.location.pathname.replace(/^\/c\//, ''));
  const next = here < 0 ? ids[0] : ids[here + step];
  if (next) navigate(`/c/${next}`);
}

export function useShortcuts(): void {
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if ((event.ctrlKey || event.metaKey) && !event.altKey && event.key.toLowerCase() === 'k') {
        event.preventDefault();
        setUi({ switcher: true });
      } else if (event.altKey && (event.key === 'ArrowUp' || event.key === 'ArrowDown')) {
        event.preventDefault();
        walk(event.key === 'ArrowUp' ? -1 : 1);
      }
    };
    window.addEventListener('keydown', onKey);
    return () => window.removeEventListener('keydown', onKey);
  }, []);
}
