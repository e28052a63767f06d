/** Somebody who is never there, with a browser that takes pushes: each message has to reach it, whatever the queue goes through (P19). */
import { type Person, type Home, newUser } from '../harness/people.ts';
import type { PushBrowser, PushService } from '../harness/push-endpoint.ts';

export interface OfflineClient {
  readonly person: Person;
  readonly browser: PushBrowser;
}

export async function newOfflineClient(home: Home, service: PushService, name: string): Promise<OfflineClient> {
  const person = await newUser(home, name);
  const browser = service.newBrowser();
  await person.api.push.subscribe.mutate(browser.subscription);
  return { person, browser };
}
