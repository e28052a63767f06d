/** Owns the two stores, and is the only caller of `setState`. */
import { createStore } from 'zustand/vanilla';
import { applyChanges } from './state/apply.ts';
import type { Change } from './state/change.ts';
import { EMPTY_SIGNALS, EMPTY_STATE } from './state/shape.ts';
import type { ChatState, SignalState } from './types.ts';

export class Store {
  readonly chat = createStore<ChatState>(() => EMPTY_STATE);
  readonly signals = createStore<SignalState>(() => EMPTY_SIGNALS);

  get state(): ChatState {
    return this.chat.getState();
  }

  /** One notification for all of them, however many. */
  apply(...changes: readonly Change[]): void {
    const before = this.state;
    const next = applyChanges(before, changes);
    if (next !== before) this.chat.setState(next, true);
  }

  signal(edit: (state: SignalState) => SignalState): void {
    this.signals.setState(edit, true);
  }

  clear(): void {
    this.chat.setState(EMPTY_STATE, true);
    this.signals.setState(EMPTY_SIGNALS, true);
  }
}
