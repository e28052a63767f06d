/** Two speech bubbles leaning on each other, one of them pleased about it. */
export function Logo({ size = 28, className }: { size?: number; className?: string }) {
  return (
    <svg viewBox="0 0 32 32" width={size} height={size} aria-hidden className={className}>
      <path
        className="fill-[#f2a65a]"
        d="M21.6 9.2A8.2 8.2 0 0 1 26.5 24v4.3a.9.9 0 0 1-1.5.7l-3.6-3.4h-2.1a8.2 8.2 0 0 1-6.4-3.1c.3 0 .6.1.9.1H17a10 10 0 0 0 4.6-13.3Z"
      />
      <path
        className="fill-[#1d6b57]"
        d="M13 3h4a10 10 0 0 1 0 20h-3.2L7.6 28.2a1 1 0 0 1-1.6-.8v-6.1A10 10 0 0 1 13 3Z"
      />
      <path
        d="M11.6 10.4v1.2M18 10.4v1.2M11.4 15.4a4.6 4.6 0 0 0 6.8 0"
        fill="none"
        stroke="#fff"
        strokeWidth="1.8"
        strokeLinecap="round"
      />
    </svg>
  );
}

export function Wordmark({ className }: { className?: string }) {
  return (
    <span className={className}>
      <span className="inline-flex items-center gap-2">
        <Logo />
        <span className="text-lg font-bold tracking-tight">Parley</span>
      </span>
    </span>
  );
}
