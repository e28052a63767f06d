/** Where I was in each conversation when I left it: a message and how far above it the view began. Absent means at the end. */
export interface ScrollAnchor {
  messageId: string;
  offset: number;
}

const anchors = new Map<string, ScrollAnchor>();

export const recallScroll = (conversationId: string) => anchors.get(conversationId);

export function keepScroll(conversationId: string, anchor: ScrollAnchor | null): void {
  if (anchor) anchors.set(conversationId, anchor);
  else anchors.delete(conversationId);
}

export const forgetScroll = () => anchors.clear();
