/** What the rows ask of the window around them. */
import { createContext, useContext } from 'react';
import { must } from '#lib/must';

export interface WindowActions {
  conversationId: string;
  isGroup: boolean;
  reply: (messageId: string) => void;
  edit: (messageId: string) => void;
  remove: (messageId: string) => void;
  jump: (messageId: string) => void;
  showReceipts: (messageId: string) => void;
}

export const WindowContext = createContext<WindowActions | null>(null);
export const useWindow = () => must(useContext(WindowContext), 'rows are shown inside a chat window');
