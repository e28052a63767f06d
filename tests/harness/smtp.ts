/** A mail server that takes every letter and keeps it: enough of RFC 5321 for one sender. */
import { createServer, type Server } from 'node:net';

export interface Letter {
  readonly to: string[];
  /** Headers and body as they came. */
  readonly data: string;
}

export interface SmtpServer extends AsyncDisposable {
  readonly url: string;
  readonly letters: Letter[];
  /** The next letter that has not been asked for. */
  next(): Promise<Letter>;
}

export async function newSmtpServer(): Promise<SmtpServer> {
  const letters: Letter[] = [];
  const waiting: ((letter: Letter) => void)[] = [];
  let taken = 0;
  const deliver = (letter: Letter) => {
    letters.push(letter);
    const first = waiting.shift();
    if (first) {
      taken++;
      first(letter);
    }
  };
  const server: Server = createServer((socket) => {
    let rest = '';
    let to: string[] = [];
    let data: string[] | null = null;
    const say = (line: string) => socket.write(`${line}\r\n`);
    const take = (line: string) => {
      if (data !== null) {
        if (line !== '.') return void data.push(line.replace(/^\.\./, '.'));
        deliver({ to, data: data.join('\n') });
        [to, data] = [[], null];
        return say('250 kept');
      }
      const verb = line.slice(0, 4).toUpperCase();
      if (verb === 'RCPT') to.push(/<(.*?)>/.exec(line)?.[1] ?? '');
      if (verb === 'DATA') {
        data = [];
        return say('354 go on');
      }
      if (verb === 'QUIT') return void socket.end('221 bye\r\n');
      return say('250 ok');
    };
    socket.on('error', () => {});
    socket.setEncoding('utf8').on('data', (chunk: string) => {
      const lines = (rest + chunk).split('\r\n');
      rest = lines.pop() ?? '';
      for (const line of lines) take(line);
    });
    say('220 test');
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const address = server.address();
  return {
    url: `smtp://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`,
    letters,
    async next() {
      const there = letters[taken];
      if (!there) return new Promise((done) => waiting.push(done));
      taken++;
      return there;
    },
    async [Symbol.asyncDispose]() {
      await new Promise((done) => server.close(done));
    },
  };
}
