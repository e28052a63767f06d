/** Two groups of the recovery key, to be typed from where it was kept: a key that was not written down is found out now. */
import { useState } from 'react';
import { Button } from '../ui/button.tsx';
import { Field } from '../ui/field.tsx';

/** Of eight groups of four; never the same two for long. */
function twoOf(groups: number): [number, number] {
  const first = Math.floor(Math.random() * (groups - 1));
  return [first, first + 1 + Math.floor(Math.random() * (groups - 1 - first))];
}
const tidy = (text: string) =>
  text.toUpperCase().replaceAll(/[\s-]/g, '').replaceAll('O', '0').replaceAll(/[IL]/g, '1');

interface RecoveryKeyCheckProps {
  value: string;
  onBack: () => void;
  onDone: () => void;
}

export function RecoveryKeyCheck({ value, onBack, onDone }: RecoveryKeyCheckProps) {
  const groups = value.split('-').filter((group) => group.length === 4);
  const [asked] = useState(() => twoOf(groups.length));
  const [typed, setTyped] = useState(['', '']);
  const [wrong, setWrong] = useState<boolean[]>([]);

  function submit(event: React.FormEvent) {
    event.preventDefault();
    const found = asked.map((group, i) => tidy(typed[i] ?? '') !== groups[group]);
    setWrong(found);
    if (!found.includes(true)) onDone();
  }

  return (
    <form onSubmit={submit} noValidate className="grid gap-4">
      <div>
        <h1 className="text-2xl font-semibold tracking-tight">Let us make sure</h1>
        <p className="mt-2 text-muted">Look at where you have kept the key, and type two of its groups.</p>
      </div>
      {asked.map((group, i) => (
        <Field
          key={group}
          // biome-ignore lint/a11y/noAutofocus: the step was just asked for
          autoFocus={i === 0}
          label={`Group ${group + 1}`}
          hint={`The ${ORDINALS[group]} four characters`}
          autoComplete="off"
          autoCapitalize="characters"
          spellCheck={false}
          className="[&_input]:font-mono"
          maxLength={6}
          value={typed[i] ?? ''}
          onChange={(event) => setTyped(typed.with(i, event.target.value))}
          error={wrong[i] ? 'That is not what the key says there.' : undefined}
        />
      ))}
      <div className="grid gap-1">
        <Button type="submit" shape="primary" className="min-h-11 text-base">
          Done
        </Button>
        <Button shape="quiet" onClick={onBack}>
          Show me the key again
        </Button>
      </div>
    </form>
  );
}

const ORDINALS = ['first', 'second', 'third', 'fourth', 'fifth', 'sixth', 'seventh', 'last'];
