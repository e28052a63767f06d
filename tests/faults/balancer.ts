/** A plain TCP balancer, as stands before real nodes: next node in turn, the one after it when one does not answer. */
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import type { Random } from '../harness/random.ts';

export interface Balancer extends AsyncDisposable {
  readonly port: number;
  /** Cuts about this share of the open connections, without a word. */
  cut(random: Random, share: number): number;
}

/** @param ports of the nodes, whether they run or not */
export async function newBalancer(ports: readonly number[]): Promise<Balancer> {
  const pairs = new Set<readonly [Socket, Socket]>();
  let turn = 0;

  function join(client: Socket, triesLeft: number): void {
    const node = connect(ports[turn++ % ports.length] ?? 0, '127.0.0.1');
    const refused = () => {
      node.destroy();
      if (triesLeft > 0 && !client.destroyed) join(client, triesLeft - 1);
      else client.destroy();
    };
    node.once('error', refused);
    node.once('connect', () => {
      node.off('error', refused);
      const pair = [client, node] as const;
      pairs.add(pair);
      for (const [one, other] of [pair, [node, client] as const]) {
        one.on('error', () => one.destroy());
        one.once('close', () => {
          other.destroy();
          pairs.delete(pair);
        });
      }
      client.pipe(node);
      node.pipe(client);
    });
  }

  const server = createServer({ pauseOnConnect: false }, (client) => {
    client.on('error', () => client.destroy());
    join(client, ports.length);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  return {
    port: typeof address === 'object' && address ? address.port : 0,
    cut(random, share) {
      const chosen = [...pairs].filter(() => random.below(1_000) < share * 1_000);
      for (const [client, node] of chosen) for (const socket of [client, node]) socket.destroy();
      return chosen.length;
    },
    async [Symbol.asyncDispose]() {
      server.close();
      for (const pair of pairs) for (const socket of pair) socket.destroy();
    },
  };
}
