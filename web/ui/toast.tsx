/** Short notes at the edge of the screen, announced politely. `tell` works from anywhere, also outside React. */
import { Toast } from '@base-ui/react/toast';
import { X } from 'lucide-react';
import { plainWords } from '../words.ts';
import { buttonClass } from './button.tsx';

const manager = Toast.createToastManager();

export const tell = (title: string) => void manager.add({ title });
/** Says what went wrong in words a person can act on. */
export const tellProblem = (error: unknown) =>
  void manager.add({ title: plainWords(error), type: 'problem', timeout: 8_000 });

/** For buttons: runs the action, and a failure becomes a note instead of silence. */
export const attempt = (action: () => Promise<unknown>) => void action().catch(tellProblem);

export function Toasts() {
  return (
    <Toast.Provider toastManager={manager} timeout={4_000} limit={3}>
      <Toast.Portal>
        <Toast.Viewport className="fixed inset-x-4 top-20 z-50 mx-auto grid w-auto max-w-sm gap-2 outline-none md:right-6 md:left-auto md:mx-0 md:w-96">
          <List />
        </Toast.Viewport>
      </Toast.Portal>
    </Toast.Provider>
  );
}

function List() {
  const { toasts } = Toast.useToastManager();
  return toasts.map((toast) => (
    <Toast.Root
      key={toast.id}
      toast={toast}
      className="flex animate-rise items-center gap-2 rounded-lg border border-line bg-raised py-2 pr-1 pl-4 shadow-mid data-[limited]:hidden data-[type=problem]:border-l-4 data-[type=problem]:border-l-danger"
    >
      <Toast.Title render={<p />} className="flex-1 text-sm" />
      <Toast.Close aria-label="Dismiss" className={buttonClass('icon')}>
        <X size={16} aria-hidden />
      </Toast.Close>
    </Toast.Root>
  ));
}
