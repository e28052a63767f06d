/** The ceiling: one string to every socket of a set, with nothing around it. */
import { type WebSocket, WebSocketServer } from 'ws';
import { frame, listening, port } from './peer.ts';

const rooms = new Map<string, Set<WebSocket>>();
const roomOf = (name: string) => rooms.get(name) ?? rooms.set(name, new Set()).get(name) ?? new Set();

const server = new WebSocketServer({ port, host: '127.0.0.1', perMessageDeflate: false });
server.on('listening', listening);
server.on('connection', (socket, request) => {
  const joined = ['all', new URL(request.url ?? '/', 'http://host').searchParams.get('room') ?? ''].map(roomOf);
  for (const room of joined) room.add(socket);
  socket.on('close', () => {
    for (const room of joined) room.delete(socket);
  });
  socket.on('message', (name: Buffer) => {
    for (const one of roomOf(name.toString())) one.send(frame);
  });
  socket.send('welcome');
});
