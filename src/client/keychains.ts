/** Owns asking for keychains: those wanted at the same moment - the conversations of a whole list - in one call. */
import type { OwnKeychain } from '#protocol/keys';
import { LIMITS } from '#protocol/limits';

type Ask = (conversationIds: string[]) => Promise<OwnKeychain[]>;

export function gathered(ask: Ask): (conversationId: string) => Promise<OwnKeychain | null> {
  let wanted: Set<string> | undefined;
  let answer: Promise<OwnKeychain[]> | undefined;

  async function askAll(ids: Set<string>): Promise<OwnKeychain[]> {
    // Everything of this turn has been asked for by then, across the border of the worker as well.
    await new Promise((go) => setTimeout(go, 0));
    wanted = undefined;
    answer = undefined;
    return ask([...ids]);
  }

  return async (conversationId) => {
    if (!wanted || wanted.size >= LIMITS.page) {
      wanted = new Set();
      answer = askAll(wanted);
    }
    wanted.add(conversationId);
    const found = await answer;
    return found?.find((one) => one.conversationId === conversationId) ?? null;
  };
}
