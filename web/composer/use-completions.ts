/** The state of shortcode completion for one text box: what is offered, which one is chosen, what a key does. */
import { useEffect, useState } from 'react';
import { type Completion, completionsFor, loadShortcodes, wordAt } from './shortcodes.ts';

export function useCompletions(text: string, caret: number, replace: (from: number, to: number, by: string) => void) {
  const word = wordAt(text, caret);
  const [ready, setReady] = useState(false);
  const [index, setIndex] = useState(0);
  const [dismissed, setDismissed] = useState<string>();
  const wanted = word !== undefined;
  useEffect(() => {
    // Without the table there is no completion, and the text goes out as it was typed.
    if (wanted)
      void loadShortcodes().then(
        () => setReady(true),
        () => {},
      );
  }, [wanted]);
  useEffect(() => setIndex(0), [word]);
  const options = ready && word && word !== dismissed ? completionsFor(word) : [];

  const pick = (option: Completion) => replace(caret - (word?.length ?? 0) - 1, caret, `${option.emoji} `);
  /** True when the key was meant for the list. */
  function onKey(key: string): boolean {
    const chosen = options[index];
    if (!chosen) return false;
    if (key === 'ArrowDown') setIndex((index + 1) % options.length);
    else if (key === 'ArrowUp') setIndex((index - 1 + options.length) % options.length);
    else if (key === 'Enter' || key === 'Tab') pick(chosen);
    else if (key === 'Escape') setDismissed(word);
    else return false;
    return true;
  }
  return { options, index, pick, onKey };
}
