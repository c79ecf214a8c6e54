// Fan-out with socket.io, as its documentation has it: readers join a room, what is said goes to the others in it.
//   node socketio.cjs PORT

const { createServer } = require("node:http");
const { Server } = require("socket.io");

const http = createServer((_, response) => response.end("ok\n"));
const io = new Server(http, { perMessageDeflate: false });

io.on("connection", (socket) => {
  socket.on("join", (done) => {
    socket.join("room");
    done();
  });
  socket.on("message", (text) => socket.to("room").emit("message", text));
});

http.listen(Number(process.argv[2]), "127.0.0.1");
