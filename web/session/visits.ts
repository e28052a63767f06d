/** Somebody who has been here before is asked to log in, a newcomer to sign up. All that is kept is that there was a visit. */
const KEY = 'parley.known';

export function beenHere(): boolean {
  try {
    return localStorage.getItem(KEY) !== null;
  } catch {
    return false;
  }
}

export function rememberVisit(): void {
  try {
    localStorage.setItem(KEY, '1');
  } catch {
    // Storage is blocked: the page simply asks again next time.
  }
}
