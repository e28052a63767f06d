/**
 * Owns what I have done to messages and the server does not know yet: laid over them, so that it is seen at once, and taken
 * off again without a trace. Below it the message stays as the server has it, and goes on changing.
 */
import type { ActView, Layer, MessageView, ReactionView, Timeline } from '../types.ts';
import { without } from './shape.ts';

export const NO_ACTS: readonly ActView[] = [];

/** The message without anything of mine over it. */
export const beneath = ({ layers, byId }: Timeline, messageId: string): MessageView | undefined =>
  layers[messageId]?.base ?? byId.get(messageId);

/** A new act, or another state of a known one. */
export function putAct(timeline: Timeline, messageId: string, act: ActView): Timeline {
  const before = timeline.layers[messageId]?.acts ?? NO_ACTS;
  const acts = before.some(({ id }) => id === act.id)
    ? before.map((one) => (one.id === act.id ? act : one))
    : // By id, which is by time: the acts of several tabs are told in any order.
      [...before, act].sort((a, b) => (a.id < b.id ? -1 : 1));
  return withActs(timeline, messageId, acts);
}

/** It is so now, or it is not to be: either way it does not lie above the message any more. */
export function endAct(
  timeline: Timeline,
  end: { messageId: string; act: ActView; since: number | null; tag?: string | undefined; me: string },
): Timeline {
  const { messageId, act, since, tag, me } = end;
  const acts = timeline.layers[messageId]?.acts.filter(({ id }) => id !== act.id) ?? NO_ACTS;
  const base = beneath(timeline, messageId);
  const isNew = base !== undefined && since !== null && base.version <= since;
  const settled = isNew ? withDone(base, done(act), { me, tag }) : undefined;
  const next = withActs(timeline, messageId, acts);
  return settled ? { ...next, byId: next.byId.with(settled) } : next;
}

/** To be called whenever messages may have changed: what is over them is laid anew. */
export function laid(timeline: Timeline, me: string): Timeline {
  let next = timeline;
  for (const [messageId, { acts, shown }] of Object.entries(timeline.layers)) {
    const base = next.byId.get(messageId);
    // The same as when it was laid, loaded or not.
    if (base === shown) continue;
    const above = base && acts.reduce((message, act) => withDone(message, act, { me }), { ...base, acts });
    const layers = { ...next.layers, [messageId]: { acts, base, shown: above } };
    next = { ...next, layers, byId: above ? next.byId.with(above) : next.byId };
  }
  return next;
}

/** Takes the layer off; `laid` puts the new one on. */
function withActs(timeline: Timeline, messageId: string, acts: readonly ActView[]): Timeline {
  const base = beneath(timeline, messageId);
  const byId = base ? timeline.byId.with(base) : timeline.byId;
  const layer: Layer = { acts, base: undefined, shown: undefined };
  const layers = acts.length > 0 ? { ...timeline.layers, [messageId]: layer } : without(timeline.layers, messageId);
  return { ...timeline, byId, layers };
}

const done = (act: ActView): ActView => ({ ...act, failed: null });

/** The message as it is once the act is done. A refused deletion or reaction is not shown as if it were; a refused text is. */
function withDone(
  message: MessageView,
  act: ActView,
  { me, tag }: { me: string; tag?: string | undefined },
): MessageView {
  if (act.failed !== null && act.kind !== 'edit') return message;
  const revision = message.revision + 1;
  switch (act.kind) {
    case 'edit': {
      if (message.isDeleted) return message;
      const before = message.content.kind === 'text' ? message.content : { replyTo: null };
      const content = { ...before, kind: 'text' as const, body: act.body };
      // What has not left this device was never different to anybody.
      const edited = message.seq === null ? {} : { isEdited: true, editedAt: act.at };
      return { ...message, content, ...edited, revision };
    }
    case 'delete':
      return { ...message, content: { kind: 'deleted' }, isDeleted: true, reactions: [], revision };
    case 'react':
      return { ...message, reactions: withMine(message.reactions, { emoji: act.emoji, tag, me }) };
    case 'unreact':
      return { ...message, reactions: withoutMine(message.reactions, act, me) };
  }
}

/** Until its tag is known, a reaction has one that no server gives. */
export const isProvisional = (tag: string): boolean => tag.startsWith(provisional(''));
const provisional = (emoji: string) => `mine/${emoji}`;

function withMine(
  reactions: readonly ReactionView[],
  { emoji, tag, me }: { emoji: string; tag?: string | undefined; me: string },
): ReactionView[] {
  const known = reactions.find((one) => one.emoji === emoji);
  if (!known) {
    return [...reactions, { tag: tag ?? provisional(emoji), emoji, count: 1, mine: true, userIds: [me] }];
  }
  if (known.mine) return [...reactions];
  const joined = { ...known, count: known.count + 1, mine: true, userIds: [...known.userIds, me] };
  return reactions.map((one) => (one === known ? joined : one));
}

function withoutMine(
  reactions: readonly ReactionView[],
  { emoji, tag }: { emoji: string | null; tag: string | null },
  me: string,
): ReactionView[] {
  return reactions.flatMap((one) => {
    const isIt = one.mine && (one.tag === tag || (emoji !== null && one.emoji === emoji));
    if (!isIt) return [one];
    if (one.count <= 1) return [];
    return [{ ...one, count: one.count - 1, mine: false, userIds: one.userIds.filter((id) => id !== me) }];
  });
}
