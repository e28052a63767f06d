/** Nobody to talk to yet: an invitation to change that. */
import { Button } from '../ui/button.tsx';
import { Logo } from '../ui/logo.tsx';
import { setUi } from '../ui-state.ts';

export function Quiet() {
  return (
    <div className="grid justify-items-center text-center">
      <Logo size={72} />
      <h2 className="mt-6 text-xl font-semibold tracking-tight">It is quiet in here</h2>
      <p className="mt-1 max-w-xs text-muted">Find somebody you know and say hello. They will be glad.</p>
      <Button shape="primary" className="mt-5" onClick={() => setUi({ newConversation: true })}>
        Find people
      </Button>
    </div>
  );
}
