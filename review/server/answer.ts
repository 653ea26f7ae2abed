import { promisify } from "node:util";
import { gzip, gzipSync } from "node:zlib";
import type { Context } from "hono";

/** Bytes from which on compression is worth its time: less fits into one packet. */
const worthCompressing = 1_400;
/** Bytes from which on compression takes so long that other readers' answers should not wait for it. */
const longCompression = 200_000;
/** Of zlib's levels, the quickest that keeps most of the gain. */
const level = 3;

const gzipAside = promisify(gzip);

/**
 * An answer as JSON, compressed for who takes gzip. Whole texts and buffers go to the socket as they are: to pipe each answer
 * through a stream takes longer than to make it.
 */
export async function answer(context: Context, value: unknown): Promise<Response> {
  const text = JSON.stringify(value);
  context.header("vary", "accept-encoding");
  context.header("content-type", "application/json");
  if (text.length < worthCompressing || !/\bgzip\b/.test(context.req.header("accept-encoding") ?? "")) {
    return context.body(text);
  }
  context.header("content-encoding", "gzip");
  const compressed = text.length < longCompression ? gzipSync(text, { level }) : await gzipAside(text, { level });
  return context.body(new Uint8Array(compressed.buffer as ArrayBuffer, compressed.byteOffset, compressed.byteLength));
}
