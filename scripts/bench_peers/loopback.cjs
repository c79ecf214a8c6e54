// Keeps a Node program on the loopback: a server that does not say where it listens would listen everywhere.

const { Server } = require("node:net");
const listen = Server.prototype.listen;

Server.prototype.listen = function (first, ...rest) {
  if (typeof first === "object" && first !== null) {
    return listen.call(this, first.path ? first : { ...first, host: "127.0.0.1" }, ...rest);
  }
  return listen.call(this, { port: first, host: "127.0.0.1" }, ...rest.filter((it) => typeof it === "function"));
};
