/** Logs out and forgets: the chat wipes its keys and stores, this page its drafts and answers. */
import { navigate } from 'wouter/use-browser-location';
import { chat } from '../chat.ts';
import { queryClient } from '../trpc.ts';
import { tellProblem } from '../ui/toast.tsx';
import { forgetUi } from '../ui-state.ts';

export async function leave(): Promise<void> {
  try {
    await chat.logout();
  } catch (error) {
    tellProblem(error);
  }
  forgetUi();
  queryClient.clear();
  navigate('/');
}
