/** Which build this page is: the hash over every file of it, as `npm run build` prints it for whoever builds the sources. */
import { useQuery } from '@tanstack/react-query';

async function ask(): Promise<string> {
  const answer = await fetch('/build.json', { signal: AbortSignal.timeout(10_000) });
  return ((await answer.json()) as { build: string }).build;
}

export function BuildNumber() {
  const { data: build } = useQuery({ queryKey: ['build'], queryFn: ask, staleTime: Number.POSITIVE_INFINITY });
  if (build === undefined) return null;
  return (
    <section aria-label="This build" className="border-t border-line pt-6 text-sm text-muted">
      <h3 className="font-semibold text-ink">This build</h3>
      <code className="mt-2 block rounded-md bg-sunken px-3 py-2 font-mono text-xs wrap-anywhere text-ink select-all">
        {build}
      </code>
      <p className="mt-2 text-pretty">
        Anybody can build Parley from its sources with <code className="text-ink">npm run build</code> and gets the same
        number.{' '}
        <a className="font-medium text-accent underline underline-offset-2" href="/build.json">
          The list of files
        </a>{' '}
        names the hash of each, and the page checks the scripts it loads against it.
      </p>
    </section>
  );
}
