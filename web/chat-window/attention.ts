/** Whether somebody is really looking at this page. */
export const attending = () => document.visibilityState === 'visible' && document.hasFocus();

export function onAttention(listener: () => void): () => void {
  window.addEventListener('focus', listener);
  document.addEventListener('visibilitychange', listener);
  return () => {
    window.removeEventListener('focus', listener);
    document.removeEventListener('visibilitychange', listener);
  };
}
