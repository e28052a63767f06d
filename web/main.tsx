/** Starts the page: the stored session is continued while the first screen is drawn. */
import './app.css';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { must } from '#lib/must';
import { App } from './app.tsx';
import { askBeforeLosing } from './attach/leaving.ts';
import { chat } from './chat.ts';
import { followClicks } from './notifications/clicks.ts';
import { forgetOnLeaving } from './session/forget.ts';
import { tellProblem } from './ui/toast.tsx';

forgetOnLeaving();
askBeforeLosing();
followClicks();
void chat.resume().catch(tellProblem);

createRoot(must(document.getElementById('root'), 'index.html has it')).render(
  <StrictMode>
    <App />
  </StrictMode>,
);
