import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";

/** How a slow link carries bytes, in each direction of each connection. */
export interface Slowness {
  /** Milliseconds before each piece that was read goes on. */
  readonly delay: number;
  readonly bytesPerSecond: number;
}

type State =
  | { readonly kind: "open" }
  /** As when a host refuses: connections are reset, and new ones as well. */
  | { readonly kind: "cut" }
  /** As when packets are lost: nothing moves, and neither side is told. */
  | { readonly kind: "frozen" }
  | ({ readonly kind: "slow" } & Slowness);

/** A link between two parts that can be broken and mended: a loopback TCP proxy before the port of one. */
export class Link {
  private state: State = { kind: "open" };
  private readonly sockets = new Set<Socket>();

  private constructor(
    readonly name: string,
    private readonly server: Server,
    private readonly target: number,
  ) {}

  /** Listens on a free port of 127.0.0.1 and leads each connection to the target port. */
  static async open(name: string, target: number): Promise<Link> {
    const server = createServer({ pauseOnConnect: true, noDelay: true, allowHalfOpen: true });
    const link = new Link(name, server, target);
    server.on("connection", (socket) => link.accept(socket));
    await new Promise<void>((resolve, reject) => server.once("error", reject).listen(0, "127.0.0.1", resolve));
    return link;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  cut(): void {
    this.state = { kind: "cut" };
    for (const socket of this.sockets) socket.resetAndDestroy();
  }

  freeze(): void {
    this.state = { kind: "frozen" };
    for (const socket of this.sockets) socket.pause();
  }

  slow(slowness: Slowness): void {
    this.state = { kind: "slow", ...slowness };
  }

  /** The link is as it was; what was held back in a frozen one moves on. */
  mend(): void {
    this.state = { kind: "open" };
    for (const socket of this.sockets) socket.resume();
  }

  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.server.close(resolve));
    for (const socket of this.sockets) socket.destroy();
    await closed;
  }

  private accept(client: Socket): void {
    if (this.state.kind === "cut") {
      client.resetAndDestroy();
      return;
    }
    const target = connect({ host: "127.0.0.1", port: this.target, noDelay: true, allowHalfOpen: true });
    this.join(client, target);
    this.join(target, client);
    target.once("connect", () => this.resume(client));
  }

  private join(from: Socket, to: Socket): void {
    this.sockets.add(from);
    if (this.state.kind === "frozen") from.pause();
    from.on("data", (chunk) => this.carry(chunk, from, to));
    from.on("end", () => to.end());
    from.on("error", () => to.resetAndDestroy());
    from.on("close", () => {
      this.sockets.delete(from);
      if (!to.destroyed) to.destroySoon();
    });
  }

  private carry(chunk: Buffer, from: Socket, to: Socket): void {
    if (this.state.kind !== "slow") {
      this.write(chunk, from, to);
      return;
    }
    const { delay, bytesPerSecond } = this.state;
    from.pause();
    setTimeout(
      () => {
        this.write(chunk, from, to);
        if (!to.writableNeedDrain) this.resume(from);
      },
      delay + (chunk.length * 1000) / bytesPerSecond,
    );
  }

  private write(chunk: Buffer, from: Socket, to: Socket): void {
    if (to.destroyed || to.write(chunk)) return;
    from.pause();
    to.once("drain", () => this.resume(from));
  }

  private resume(socket: Socket): void {
    if (this.state.kind !== "frozen") socket.resume();
  }
}
