import type { Socket } from 'node:net';

/**
 * Lets what is written to a socket in one turn of the event loop leave together. Clients of RabbitMQ and Redis write each
 * command by itself, and a system call for each costs more than making it; waiting for the end of the turn costs nothing.
 */
export function coalesceWrites(socket: Socket): void {
  let corked = false;
  const uncork = (): void => {
    corked = false;
    socket.uncork();
  };
  socket.write = new Proxy(socket.write.bind(socket), {
    apply: (write, _, args) => {
      if (!corked) {
        corked = true;
        socket.cork();
        process.nextTick(uncork);
      }
      return Reflect.apply(write, undefined, args);
    },
  });
}
