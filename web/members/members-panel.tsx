/** The people of a conversation, and what I may change about it. */
import { Archive, LockKeyhole, LogOut, ShieldCheck, UserRoundPlus } from 'lucide-react';
import { useRef, useState } from 'react';
import { useLocation } from 'wouter';
import type { ConversationView } from '#client/types';
import { chat, useMe } from '../chat.ts';
import { faceOf, partnerOf } from '../naming.ts';
import { Avatar } from '../ui/avatar.tsx';
import { Button } from '../ui/button.tsx';
import { Confirm } from '../ui/confirm.tsx';
import { Dialog } from '../ui/dialog.tsx';
import { tellProblem } from '../ui/toast.tsx';
import { setUi } from '../ui-state.ts';
import { Adding } from './adding.tsx';
import { GroupName } from './group-name.tsx';
import { GroupPicture } from './group-picture.tsx';
import { GroupTopic } from './group-topic.tsx';
import { MemberList } from './member-list.tsx';
import { Mute } from './mute.tsx';
import { Rekeying } from './rekeying.tsx';
import { mayManage, maySetRoles } from './rights.ts';

const close = () => setUi({ members: false });

export default function MembersPanel({ conversation }: { conversation: ConversationView }) {
  const me = useMe().id;
  const [adding, setAdding] = useState(false);
  const scroller = useRef<HTMLDivElement>(null);
  const face = faceOf(conversation, me);
  const partner = partnerOf(conversation, me);
  const isGroup = conversation.type === 'group';

  if (adding) {
    return <Adding conversation={conversation} onClose={close} onDone={() => setAdding(false)} />;
  }

  return (
    <Dialog open onOpenChange={(open) => !open && close()} title={isGroup ? 'People' : 'About'} form="sheet">
      <div ref={scroller} className="min-h-0 flex-1 overflow-y-auto">
        <div className="grid justify-items-center px-5 pt-2 pb-5 text-center">
          {mayManage(conversation) ? <GroupPicture conversation={conversation} /> : <Avatar {...face} size="lg" />}
          {mayManage(conversation) ? (
            <GroupName conversation={conversation} />
          ) : (
            <p className="mt-3 text-xl font-semibold tracking-tight wrap-anywhere">{face.name}</p>
          )}
          {partner && <p className="text-muted">@{partner.username}</p>}
          {isGroup && <GroupTopic conversation={conversation} />}
          <p className="mt-3 flex items-center gap-2 rounded-full bg-accent-soft px-3 py-1 text-xs font-medium text-accent">
            <LockKeyhole size={13} aria-hidden /> End-to-end encrypted
          </p>
        </div>
        <Rekeying conversation={conversation} />
        <div className="px-3">
          <Mute conversation={conversation} />
        </div>
        {partner && (
          <div className="px-3">
            <Button
              shape="quiet"
              className="w-full justify-start gap-3 text-ink"
              onClick={() => setUi({ members: false, verifying: partner.id })}
            >
              <span className="grid size-9 place-items-center rounded-full bg-accent-soft text-accent">
                <ShieldCheck size={17} aria-hidden />
              </span>
              Verify {partner.displayName}
            </Button>
          </div>
        )}
        {mayManage(conversation) && (
          <div className="px-3">
            <Button shape="quiet" className="w-full justify-start gap-3 text-ink" onClick={() => setAdding(true)}>
              <span className="grid size-9 place-items-center rounded-full bg-accent-soft text-accent">
                <UserRoundPlus size={17} aria-hidden />
              </span>
              Add people
            </Button>
          </div>
        )}
        <MemberList conversation={conversation} scroller={scroller} />
      </div>
      {isGroup && <Leaving conversation={conversation} />}
    </Dialog>
  );
}

function Leaving({ conversation }: { conversation: ConversationView }) {
  const me = useMe().id;
  const [, navigate] = useLocation();
  const [asking, setAsking] = useState<'leave' | 'archive' | null>(null);
  async function goAway(action: () => Promise<void>) {
    try {
      await action();
      navigate('/');
    } catch (error) {
      tellProblem(error);
    }
  }
  return (
    <div className="grid border-t border-line p-3">
      {maySetRoles(conversation) && (
        <Button shape="quiet" className="justify-start" onClick={() => setAsking('archive')}>
          <Archive size={17} aria-hidden /> Archive the group
        </Button>
      )}
      <Button shape="quiet" className="justify-start text-danger hover:text-danger" onClick={() => setAsking('leave')}>
        <LogOut size={17} aria-hidden /> Leave the group
      </Button>
      <Confirm
        open={asking === 'leave'}
        onOpenChange={() => setAsking(null)}
        title="Leave this group?"
        text="You will not receive anything that is written from now on. Somebody in the group can add you again."
        action="Leave"
        onConfirm={() => void goAway(() => chat.removeParticipant(conversation.id, me))}
      />
      <Confirm
        open={asking === 'archive'}
        onOpenChange={() => setAsking(null)}
        title="Archive this group?"
        text="It disappears from everybody’s list, and nobody can write in it any more."
        action="Archive"
        onConfirm={() => void goAway(() => chat.archive(conversation.id))}
      />
    </div>
  );
}
