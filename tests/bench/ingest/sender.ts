/** Sends prepared frames over several sockets, so many in flight on each, and says how long that took. In a process of its own. */
import { readFileSync } from 'node:fs';
import { once } from 'node:events';
import WebSocket from 'ws';

export interface SendOrder {
  /** One frame a line; line `i` goes over socket `i % tokens.length`. */
  readonly file: string;
  readonly wsUrl: string;
  readonly tokens: readonly string[];
  /** Calls without an answer, on each socket. */
  readonly inFlight: number;
}

export interface SendReport {
  readonly ms: number;
  readonly refused: number;
  /** Of each call, sorted. */
  readonly latencies: number[];
}

async function connect(wsUrl: string, token: string): Promise<WebSocket> {
  const socket = new WebSocket(`${wsUrl}?connectionParams=1`, { perMessageDeflate: false });
  await once(socket, 'open');
  socket.send(JSON.stringify({ method: 'connectionParams', data: { token } }));
  return socket;
}

/** Resolves when every frame has its answer. */
function drive(socket: WebSocket, frames: string[], inFlight: number, report: { refused: number; took: number[] }) {
  return new Promise<void>((done, fail) => {
    let sent = 0;
    let answered = 0;
    const began: number[] = [];
    const next = () => {
      const frame = frames[sent];
      if (frame === undefined) return;
      began[sent++] = performance.now();
      socket.send(frame);
    };
    socket.on('close', () => answered < frames.length && fail(new Error('the server closed a socket')));
    socket.on('message', (data: Buffer) => {
      const text = data.toString('latin1');
      if (text === 'PING') return socket.send('PONG');
      const id = Number(/^\{"id":(\d+)/.exec(text)?.[1]);
      report.took.push(performance.now() - (began[id] ?? 0));
      if (text.includes('"error"', 6) && !text.includes('"result"')) report.refused++;
      answered++;
      if (answered === frames.length) done();
      else next();
    });
    for (let i = 0; i < inFlight; i++) next();
  });
}

process.on('message', (order: SendOrder) => void run(order).then((report) => process.send?.(report)));

async function run({ file, wsUrl, tokens, inFlight }: SendOrder): Promise<SendReport> {
  const lines = readFileSync(file, 'utf8').trimEnd().split('\n');
  const sockets = await Promise.all(tokens.map((token) => connect(wsUrl, token)));
  const report = { refused: 0, took: [] as number[] };
  const began = performance.now();
  await Promise.all(
    sockets.map((socket, i) =>
      drive(
        socket,
        lines.filter((_, n) => n % sockets.length === i),
        inFlight,
        report,
      ),
    ),
  );
  const ms = performance.now() - began;
  for (const socket of sockets) socket.terminate();
  return { ms, refused: report.refused, latencies: report.took.sort((a, b) => a - b) };
}
