/** The other person, in a process of his own as in life: says when each message stood opened in his store. */
import { createChat } from '#client/index';

const [url = '', name = ''] = process.argv.slice(2);
/** The machine's monotonic clock in ms: the same for all processes. */
const now = () => Number(process.hrtime.bigint()) / 1e6;
const say = (word: unknown) => process.send?.(word);

const chat = createChat({ url });
await chat.register({ username: name, email: `${name}@example.org`, password: `${name} has a long password` });
const { session } = chat.store.getState();
if (session.status !== 'signed-in') throw new Error('registration did not sign in');

const told = new Set<string>();
chat.store.subscribe(({ timelines }) => {
  for (const timeline of Object.values(timelines)) {
    const id = timeline.ids.at(-1);
    const message = id === undefined ? undefined : timeline.byId.get(id);
    if (!message || message.content.kind !== 'text' || told.has(message.id)) continue;
    told.add(message.id);
    say({ opened: message.id, at: now() });
  }
});
async function obey(order: { open: string } | 'close'): Promise<void> {
  if (order === 'close') {
    await chat.close();
    process.exit(0);
  }
  while (!chat.store.getState().conversations[order.open]) await new Promise((resolve) => setTimeout(resolve, 20));
  await chat.open(order.open);
  say({ ready: order.open });
}
process.on('message', (order) => void obey(order as Parameters<typeof obey>[0]));
say({ userId: session.me.id });
