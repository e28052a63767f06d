/** The global scope of a service worker, as much of it as is used: TypeScript knows either a page's or a worker's, not both. */

interface Extendable extends Event {
  /** Until it settles the browser lets the worker live. */
  waitUntil(work: Promise<unknown>): void;
}

export interface OpenPage {
  readonly focused: boolean;
  readonly visibilityState: DocumentVisibilityState;
  focus(): Promise<unknown>;
  postMessage(message: unknown, transfer?: Transferable[]): void;
}

interface Events {
  install: Extendable;
  activate: Extendable;
  push: Extendable & { readonly data: { json(): unknown } | null };
  notificationclick: Extendable & { readonly notification: Notification };
  message: Extendable & { readonly data: unknown };
  fetch: Extendable & {
    readonly request: Request;
    readonly clientId: string;
    respondWith(response: Promise<Response>): void;
  };
}

interface ServiceWorkerScope {
  readonly registration: ServiceWorkerRegistration;
  readonly clients: {
    claim(): Promise<void>;
    matchAll(options: { type: 'window'; includeUncontrolled: boolean }): Promise<readonly OpenPage[]>;
    get(id: string): Promise<OpenPage | undefined>;
    openWindow(url: string): Promise<unknown>;
  };
  skipWaiting(): Promise<void>;
  addEventListener<Name extends keyof Events>(name: Name, listener: (event: Events[Name]) => void): void;
}

export const scope = globalThis as unknown as ServiceWorkerScope;

/** The most recently focused first. */
export const openPages = () => scope.clients.matchAll({ type: 'window', includeUncontrolled: true });
