/** One person of a group, with what I may do about their being there. */
import { Menu } from '@base-ui/react/menu';
import { Ellipsis, KeyRound, MessageCircle, ShieldCheck, UserRoundMinus } from 'lucide-react';
import { useState } from 'react';
import { useLocation } from 'wouter';
import type { ConversationView, ParticipantView, Role } from '#client/types';
import { chat, useMe } from '../chat.ts';
import { PresenceIndicator } from '../presence/presence-indicator.tsx';
import { VerifiedMark } from '../trust/verified-mark.tsx';
import { Avatar } from '../ui/avatar.tsx';
import { buttonClass } from '../ui/button.tsx';
import { Confirm } from '../ui/confirm.tsx';
import { MenuItem, popupClass } from '../ui/menu.tsx';
import { attempt, tellProblem } from '../ui/toast.tsx';
import { setUi } from '../ui-state.ts';
import { mayRemove, maySetRoles, ROLE_WORDS } from './rights.ts';

interface Props {
  conversation: ConversationView;
  person: ParticipantView;
}

export function MemberRow({ conversation, person }: Props) {
  const me = useMe().id;
  const { user, role } = person;
  const isMe = user.id === me;
  const isGroup = conversation.type === 'group';
  return (
    <div role="listitem" className="flex items-center gap-3 rounded-lg px-2 py-2">
      <Avatar id={user.id} name={user.displayName} size="sm" className="size-9" />
      <span className="stack min-w-0 flex-1 leading-tight">
        <span className="flex min-w-0 items-center gap-1.5">
          <span className="truncate font-medium">
            {user.displayName}
            {isMe && <span className="text-muted"> (you)</span>}
          </span>
          <VerifiedMark userId={user.id} />
        </span>
        <span className="flex truncate text-sm text-muted">
          @{user.username}
          {!isMe && <PresenceIndicator userId={user.id} words className="ml-2" />}
        </span>
      </span>
      {isGroup && role !== 'member' && (
        <span className="rounded-full bg-sunken px-2 py-0.5 text-xs font-medium text-muted">{ROLE_WORDS[role]}</span>
      )}
      {isGroup && <Actions conversation={conversation} person={person} isMe={isMe} />}
    </div>
  );
}

function Actions({ conversation, person, isMe }: Props & { isMe: boolean }) {
  const { user, role } = person;
  const [, navigate] = useLocation();
  const [removing, setRemoving] = useState(false);
  const roles = maySetRoles(conversation) ? (Object.keys(ROLE_WORDS) as Role[]).filter((one) => one !== role) : [];
  const removable = !isMe && mayRemove(conversation, person);
  if (isMe && roles.length === 0) return <span className="size-9" />;

  const writeTo = () =>
    chat.createDirect(user.id).then((id: string) => {
      setUi({ members: false });
      navigate(`/c/${id}`);
    }, tellProblem);
  return (
    <>
      <Menu.Root>
        <Menu.Trigger aria-label={`Actions for ${user.displayName}`} className={buttonClass('icon')}>
          <Ellipsis size={18} aria-hidden />
        </Menu.Trigger>
        <Menu.Portal>
          <Menu.Positioner sideOffset={4} align="end" className="z-50">
            <Menu.Popup className={`${popupClass} min-w-52`}>
              {!isMe && (
                <MenuItem onClick={() => void writeTo()}>
                  <MessageCircle size={17} aria-hidden className="text-muted" /> Write to them
                </MenuItem>
              )}
              {!isMe && (
                <MenuItem onClick={() => setUi({ members: false, verifying: user.id })}>
                  <KeyRound size={17} aria-hidden className="text-muted" /> Verify them
                </MenuItem>
              )}
              {roles.map((next) => (
                <MenuItem key={next} onClick={() => attempt(() => chat.setRole(conversation.id, user.id, next))}>
                  <ShieldCheck size={17} aria-hidden className="text-muted" /> Make {ROLE_WORDS[next].toLowerCase()}
                </MenuItem>
              ))}
              {removable && (
                <MenuItem danger onClick={() => setRemoving(true)}>
                  <UserRoundMinus size={17} aria-hidden /> Remove from the group
                </MenuItem>
              )}
            </Menu.Popup>
          </Menu.Positioner>
        </Menu.Portal>
      </Menu.Root>
      <Confirm
        open={removing}
        onOpenChange={setRemoving}
        title={`Remove ${user.displayName}?`}
        text="They keep what they have read so far. Everything written from now on is locked with new keys."
        action="Remove"
        onConfirm={() => attempt(() => chat.removeParticipant(conversation.id, user.id))}
      />
    </>
  );
}
