/** People whose name begins or sounds like what was typed, asked for once the typing pauses. */
import { keepPreviousData } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { useMe } from '../chat.ts';
import { trpc } from '../trpc.ts';

const PAUSE_MS = 200;

export function useSettled<T>(value: T): T {
  const [settled, setSettled] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(value), PAUSE_MS);
    return () => clearTimeout(timer);
  }, [value]);
  return settled;
}

export function usePeople(text: string) {
  const me = useMe().id;
  const query = useSettled(text.trim());
  const answer = trpc.users.search.useQuery(
    { query, limit: 20 },
    { enabled: query.length > 0, placeholderData: keepPreviousData },
  );
  const wanted = query.length > 0 && text.trim() !== '';
  return {
    people: wanted ? (answer.data ?? []).filter(({ id }) => id !== me) : [],
    searching: wanted && (answer.isFetching || query !== text.trim()),
    error: answer.error,
  };
}
