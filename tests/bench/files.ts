/** The server's part of a transfer alone: 100 MB of ciphertext up and down beside plain HTTP, and the memory that it takes. */
import { randomBytes } from 'node:crypto';
import { Agent, request } from 'node:http';
import { uuidv7 } from 'uuidv7';
import { boxLength } from '../harness/files.ts';
import { newDirect } from '../harness/people.ts';
import { newComer } from '../harness/registration.ts';
import { type Figure, median, round } from './stats.ts';
import type { World } from './world.ts';

const ROUNDS = 5;
const BYTES = 100_000_000;

const agent = new Agent({ keepAlive: true, maxSockets: 1 });

/** @returns the status, and how many bytes the answer had */
function call(method: string, url: string, headers: Record<string, string>, body?: Buffer) {
  return new Promise<{ status: number; bytes: number }>((done, fail) => {
    const length = body === undefined ? {} : { 'content-length': String(body.length) };
    const asked = request(url, { method, agent, headers: { ...headers, ...length } }, (answer) => {
      let bytes = 0;
      answer.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
      });
      answer.on('end', () => done({ status: answer.statusCode ?? 0, bytes }));
    });
    asked.on('error', fail);
    asked.end(body);
  });
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await work();
  return performance.now() - began;
}

/** The most memory the server's process has while something runs, above what it has before. */
async function extraMemory(url: string, work: () => Promise<unknown>): Promise<number> {
  const resident = async () =>
    Number(/^parley_process_resident_memory_bytes (\S+)/m.exec(await (await fetch(`${url}/metrics`)).text())?.[1]);
  const before = await resident();
  let most = before;
  let going = true;
  const looking = (async () => {
    while (going) {
      most = Math.max(most, await resident());
      await new Promise((done) => setTimeout(done, 20));
    }
  })();
  await work();
  going = false;
  await looking;
  return (most - before) / 1e6;
}

export async function measureFiles(world: World): Promise<Figure[]> {
  const at = { url: world.url, wsUrl: `${world.url.replace('http', 'ws')}/trpc` };
  const [ann, bob] = [await newComer(at, 'bench-files-ann'), await newComer(at, 'bench-files-bob')];
  const room = await newDirect(ann, bob);
  const bytes = randomBytes(boxLength(BYTES));
  const headers = { authorization: `Bearer ${ann.token}` };

  const upload = async (id: string) => {
    const created = await ann.api.files.create.mutate({ id, conversationId: room.id, size: bytes.length });
    const { partSize } = created;
    for (let offset = 0; offset < bytes.length; offset += partSize) {
      const piece = bytes.subarray(offset, offset + partSize);
      const { status } = await call(
        'PUT',
        `${world.url}/files/${id}`,
        { ...headers, 'upload-offset': `${offset}` },
        piece,
      );
      if (status !== 204) throw new Error(`PUT answered ${status}`);
    }
  };
  const download = async (url: string) => {
    const answer = await call('GET', url, headers);
    if (answer.bytes !== bytes.length) throw new Error(`GET gave ${answer.bytes} bytes`);
  };

  const took = { up: [] as number[], plainUp: [] as number[], down: [] as number[], plainDown: [] as number[] };
  const ratios = { up: [] as number[], down: [] as number[] };
  // First of all: what a process has grown to, it keeps.
  const memory: number[] = [];
  for (let i = 0; i < 3; i++) {
    const id = uuidv7();
    memory.push(await extraMemory(world.url, () => upload(id)));
    memory.push(await extraMemory(world.url, () => download(`${world.url}/files/${id}`)));
  }
  for (let i = 0; i <= ROUNDS; i++) {
    const id = uuidv7();
    const one = { up: 0, plainUp: 0, down: 0, plainDown: 0 };
    // In turns, so that both meet the same machine.
    one.plainUp = await timed(() => call('PUT', world.plainUrl, {}, bytes));
    one.up = await timed(() => upload(id));
    one.plainDown = await timed(() => download(world.plainUrl));
    one.down = await timed(() => download(`${world.url}/files/${id}`));
    // The first round warms up.
    if (i === 0) continue;
    for (const key of ['up', 'plainUp', 'down', 'plainDown'] as const) took[key].push(one[key]);
    ratios.up.push(one.up / one.plainUp);
    ratios.down.push(one.down / one.plainDown);
  }
  agent.destroy();
  await Promise.all([ann, bob].map((person) => person[Symbol.asyncDispose]()));
  return [
    {
      name: 'upload of 100 MB of ciphertext / plain HTTP PUT into a file',
      value: round(median(ratios.up)),
      unit: 'x',
      limit: 2.5,
      parts: { uploadMs: round(median(took.up)), plainMs: round(median(took.plainUp)) },
    },
    {
      name: 'download of 100 MB of ciphertext / plain HTTP GET of a file',
      value: round(median(ratios.down)),
      unit: 'x',
      limit: 2.5,
      parts: { downloadMs: round(median(took.down)), plainMs: round(median(took.plainDown)) },
    },
    {
      name: 'memory of the server while 100 MB come or go',
      value: round(Math.max(...memory)),
      unit: 'MB',
      limit: 50,
      parts: { medianMb: round(median(memory)) },
    },
  ];
}
