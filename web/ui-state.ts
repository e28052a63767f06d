/** What only this page knows: open windows, drafts, what is being edited. In memory, because nothing decrypted is kept at rest. */
import { useStore } from 'zustand';
import { createStore } from 'zustand/vanilla';

export interface DraftState {
  text: string;
  replyTo: string | null;
  /** The message being edited and the draft that comes back afterwards. */
  editing: { messageId: string; before: string } | null;
}

interface UiState {
  /** Registration is under way: the log-in screens stay until the recovery key has been dealt with. */
  registering: boolean;
  recoveryKey: string | null;
  switcher: boolean;
  newConversation: boolean;
  members: boolean;
  /** Whose keys are being compared. */
  verifying: string | null;
  /** The picture that is looked at. */
  lightbox: { conversationId: string; fileId: string } | null;
  drafts: Record<string, DraftState>;
}

export const NO_DRAFT: DraftState = { text: '', replyTo: null, editing: null };

const store = createStore<UiState>(() => ({
  registering: false,
  recoveryKey: null,
  switcher: false,
  newConversation: false,
  members: false,
  verifying: null,
  lightbox: null,
  drafts: {},
}));

export const useUi = <T>(selector: (state: UiState) => T): T => useStore(store, selector);
export const setUi = (patch: Partial<UiState>) => store.setState(patch);
/** But not a recovery key that nobody has kept yet: it is the only copy, also when the session ends elsewhere. */
export const forgetUi = () => store.setState(({ recoveryKey }) => ({ ...store.getInitialState(), recoveryKey }), true);

export const selectDraft = (conversationId: string) => (state: UiState) => state.drafts[conversationId] ?? NO_DRAFT;
export const draftOf = (conversationId: string) => selectDraft(conversationId)(store.getState());

export function setDraft(conversationId: string, patch: Partial<DraftState>): void {
  store.setState(({ drafts }) => ({
    drafts: { ...drafts, [conversationId]: { ...(drafts[conversationId] ?? NO_DRAFT), ...patch } },
  }));
}

export const startReply = (conversationId: string, messageId: string) =>
  setDraft(conversationId, { replyTo: messageId });

export function startEdit(conversationId: string, messageId: string, text: string): void {
  const draft = draftOf(conversationId);
  const before = draft.editing?.before ?? draft.text;
  setDraft(conversationId, { text, editing: { messageId, before } });
}

/** Ends an edit, sent or not: the draft that was there before is back. */
export function endEdit(conversationId: string): void {
  const { editing } = draftOf(conversationId);
  if (editing) setDraft(conversationId, { text: editing.before, editing: null });
}
