/** A password to be chosen: long enough, with a hint how good it is. */
import { PasswordField } from './password-field.tsx';
import { StrengthHint } from './strength-hint.tsx';
import { MIN_PASSWORD } from './strength.ts';

export const problemOfPassword = (password: string): string | undefined =>
  [...password].length < MIN_PASSWORD ? `At least ${MIN_PASSWORD} characters, please.` : undefined;

interface NewPasswordProps {
  value: string;
  onChange: (password: string) => void;
  error?: string | undefined;
}

export function NewPassword({ value, onChange, error }: NewPasswordProps) {
  return (
    <PasswordField
      label="New password"
      autoComplete="new-password"
      required
      value={value}
      onChange={(event) => onChange(event.target.value)}
      error={error}
      hint={<StrengthHint password={value} />}
    />
  );
}
