/** A wire to a server that can be cut: plain TCP in between, so that neither side is told. */
import { createServer, connect, type AddressInfo, type Socket } from 'node:net';

export interface Wire extends AsyncDisposable {
  url: string;
  /** Breaks every connection; new ones are possible at once. */
  cut(): void;
  /** Breaks every connection and lets none come until `up`. */
  down(): void;
  /** What is sent arrives; nothing comes back. */
  deafen(): void;
  /** Requests that have this in their head are answered so, and come no further. Until `up`. */
  lie(request: string, answer: string): void;
  up(): void;
}

export async function newWire(serverUrl: string): Promise<Wire> {
  const target = new URL(serverUrl);
  const open = new Set<Socket>();
  let isUp = true;
  let isDeaf = false;
  let lie: { request: string; answer: string } | undefined;
  const server = createServer((near) => {
    if (!isUp) return near.destroy();
    const far = connect(Number(target.port), target.hostname);
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ] as const) {
      open.add(socket);
      socket.setNoDelay(true);
      socket.on('data', (bytes) => {
        const answer = lie && bytes.toString('latin1').includes(lie.request) ? lie.answer : undefined;
        if (socket === near && answer !== undefined) near.removeAllListeners('data').resume().end(answer);
        else if (!(isDeaf && socket === far)) other.write(bytes);
      });
      socket.on('end', () => other.end());
      socket.on('error', () => other.destroy());
      socket.on('close', () => {
        open.delete(socket);
        other.destroy();
      });
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const cut = () => {
    for (const socket of open) socket.destroy();
  };
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    cut,
    down() {
      isUp = false;
      cut();
    },
    deafen() {
      isDeaf = true;
    },
    lie(request, answer) {
      lie = { request, answer };
    },
    up() {
      lie = undefined;
      // What was held back is lost with its connection.
      if (isDeaf) cut();
      isUp = true;
      isDeaf = false;
    },
    async [Symbol.asyncDispose]() {
      cut();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
