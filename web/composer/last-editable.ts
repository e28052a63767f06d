/** What the Up key brings back: the newest message of mine that can still be edited, sent or not. Pure. */
import type { Timeline } from '#client/types';

export function lastEditable(timeline: Timeline | undefined, me: string): { id: string; body: string } | undefined {
  const id =
    timeline &&
    [...timeline.ids, ...timeline.pending].findLast((key) => {
      const message = timeline.byId.get(key);
      return message?.senderId === me && message.type === 'text' && message.content.kind === 'text';
    });
  const content = id === undefined ? undefined : timeline?.byId.get(id)?.content;
  return id !== undefined && content?.kind === 'text' ? { id, body: content.body } : undefined;
}
