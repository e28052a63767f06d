/** A room broadcast of socket.io as its documentation has it, over WebSockets alone. */
import { createServer } from 'node:http';
import { Server } from 'socket.io';
import { event, listening, port } from './peer.ts';

const http = createServer();
const io = new Server(http, { transports: ['websocket'], serveClient: false });
io.on('connection', (socket) => {
  void socket.join(['all', String(socket.handshake.query.room)]);
  socket.on('send', (room: string | number) => io.to(String(room)).emit('message', event));
});
http.listen(port, '127.0.0.1', listening);
