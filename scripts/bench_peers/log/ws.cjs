// Fan-out with ws, as its documentation has it: what one says goes to every other client that is open.
//   node ws.cjs PORT

const { createServer } = require("node:http");
const { WebSocket, WebSocketServer } = require("ws");

const http = createServer((_, response) => response.end("ok\n"));
const server = new WebSocketServer({ server: http, perMessageDeflate: false });

server.on("connection", (socket) => {
  socket.on("error", console.error);
  socket.on("message", (data, isBinary) => {
    for (const client of server.clients) {
      if (client !== socket && client.readyState === WebSocket.OPEN) client.send(data, { binary: isBinary });
    }
  });
});

http.listen(Number(process.argv[2]), "127.0.0.1");
