/** Logs out; what is left in the page is forgotten by session/forget.ts. */
import { navigate } from 'wouter/use-browser-location';
import { chat } from '../chat.ts';
import { tellProblem } from '../ui/toast.tsx';

export async function leave(): Promise<void> {
  try {
    await chat.logout();
  } catch (error) {
    tellProblem(error);
  }
  navigate('/');
}
