/** A scrape of one of several processes behind one port sees all of them: whoever is asked asks the leader, who asks everybody. */
import cluster from 'node:cluster';
import { AggregatorRegistry, type Registry } from 'prom-client';

/** Then it answers for itself alone. */
const LATE_MS = 6_000;

interface Scrape {
  readonly scrape: number;
  readonly text?: string;
}
const isScrape = (word: unknown): word is Scrape => typeof word === 'object' && word !== null && 'scrape' in word;

/** In the leader. */
export function answerScrapes(): void {
  const all = new AggregatorRegistry();
  cluster.on('message', (worker, word: unknown) => {
    if (!isScrape(word)) return;
    // Somebody has just ended: the one who was asked answers for itself.
    all.clusterMetrics().then(
      (text) => worker.isConnected() && worker.send({ scrape: word.scrape, text }),
      () => {},
    );
  });
}

/** How the metrics of this process are read from outside. */
export function scraperOf(registry: Registry): () => Promise<string> {
  if (!cluster.isWorker) return () => registry.metrics();
  // It listens for the leader's questions from here on.
  new AggregatorRegistry();
  AggregatorRegistry.setRegistries([registry]);
  const waiting = new Map<number, (text: string) => void>();
  let asked = 0;
  process.on('message', (word: unknown) => {
    if (isScrape(word) && word.text !== undefined) waiting.get(word.scrape)?.(word.text);
  });
  return async () => {
    const scrape = ++asked;
    let late: NodeJS.Timeout | undefined;
    const answer = new Promise<string | null>((resolve) => {
      waiting.set(scrape, resolve);
      late = setTimeout(resolve, LATE_MS, null);
    });
    process.send?.({ scrape } satisfies Scrape);
    const text = await answer;
    clearTimeout(late);
    waiting.delete(scrape);
    return text ?? registry.metrics();
  };
}
