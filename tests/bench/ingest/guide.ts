/** The same sends through the API of the guide's architecture: to a room of ten, and to a hundred of them. */
import { Agent, type IncomingMessage, request } from 'node:http';
import { once } from 'node:events';
import postgres from 'postgres';
import { must } from '#lib/must';
import { startGuide } from '../peers/guide/start.ts';
import type { World } from '../world.ts';

/** With more under way than this it only waits longer. */
const IN_FLIGHT = 64;
const ROOM_SIZE = 10;

export interface GuideSends extends AsyncDisposable {
  /** @returns messages a second */
  send(rooms: number, count: number): Promise<number>;
}

interface Place {
  readonly conversationId: string;
  readonly senderId: string;
}

/** @param content as long as what Parley is sent */
export async function startGuideSends(world: World, content: string): Promise<GuideSends> {
  const event = { type: 'message', message: { contentEncrypted: content } };
  const guide = await startGuide(world, { frame: JSON.stringify({ result: { data: { data: event } } }) });
  const database = new URL(world.databaseUrl);
  database.pathname = '/bench_guide';
  const sql = postgres(database.href, { max: 1 });
  const places = await sql<Place[]>`
    select conversation_id as "conversationId", min(user_id::text) as "senderId" from participants
    group by 1 having count(*) = ${ROOM_SIZE}`;
  await sql.end();
  const agent = new Agent({ keepAlive: true, maxSockets: IN_FLIGHT });

  async function post(place: Place): Promise<void> {
    const body = JSON.stringify({ ...place, contentEncrypted: content });
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
    const call = request({ port: guide.port, host: '127.0.0.1', path: '/messages', method: 'POST', agent, headers });
    call.end(body);
    const [response] = (await once(call, 'response')) as [IncomingMessage];
    response.resume();
    await once(response, 'end');
    if (response.statusCode !== 200) throw new Error(`the guide refused a message: ${response.statusCode}`);
  }

  return {
    async send(rooms, count) {
      let sent = 0;
      const lane = async () => {
        while (sent < count) await post(must(places[sent++ % rooms], 'a room of the guide'));
      };
      const began = performance.now();
      await Promise.all(Array.from({ length: IN_FLIGHT }, lane));
      return count / ((performance.now() - began) / 1_000);
    },
    async [Symbol.asyncDispose]() {
      agent.destroy();
      await guide[Symbol.asyncDispose]();
    },
  };
}
