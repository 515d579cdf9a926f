import { closeSync, fstatSync, openSync, readSync } from "node:fs";

/** The first bytes of every file of a binary log. */
export const MAGIC = Buffer.from([0xfe, 0x62, 0x69, 0x6e]);
export const HEADER = 19;
const ROTATE = 4;

export interface Whole {
  /** Where the last whole event ends, from the beginning of the file. */
  readonly end: number;
  /** Seconds since 1970, of the last event that has a time. */
  readonly lastTime: number | undefined;
  /** Whether the file ends here: the server went on to another one. */
  readonly closed: boolean;
}

/**
 * How far a piece of a binary log consists of whole events.
 * @param offset where the piece begins in its file: 0, or the end of an event
 */
export function wholeEvents(piece: Buffer, offset: number): Whole {
  let at = offset === 0 ? MAGIC.length : 0;
  let lastTime: number | undefined;
  let closed = false;
  let end = offset;
  while (at + HEADER <= piece.length) {
    const length = piece.readUInt32LE(at + 9);
    if (length < HEADER || at + length > piece.length) break;
    const time = piece.readUInt32LE(at);
    if (time > 0) lastTime = time;
    closed = piece[at + 4] === ROTATE || piece[at + 4] === STOP;
    at += length;
    end = offset + at;
  }
  return { end, lastTime, closed };
}

const STOP = 3;

/**
 * When a file was started: the time of its first event tells two files of one name apart. undefined where there is none
 * yet.
 */
export function startedAt(file: Buffer): number | undefined {
  return file.length < MAGIC.length + HEADER || !file.subarray(0, MAGIC.length).equals(MAGIC)
    ? undefined
    : file.readUInt32LE(MAGIC.length);
}

/** A file's content from a place on; shorter at its end. */
export function readAt(handle: number, from: number, length: number): Buffer {
  const piece = Buffer.alloc(length);
  return piece.subarray(0, readSync(handle, piece, 0, length, from));
}

export interface Piece {
  readonly from: number;
  readonly content: Buffer;
  /** It ends within an event, whose rest the next piece has. */
  readonly more: boolean;
}

/**
 * The whole events of a file that is being written, in pieces of at most `largest` bytes: an event that is larger comes
 * in several, once all of it is there, so that no more than one piece is in memory.
 * @param from where an event begins, or 0
 */
export function* piecesOf(handle: number, from: number, size: number, largest: number): Generator<Piece> {
  for (let at = from; ; ) {
    const piece = readAt(handle, at, Math.min(size - at, largest));
    const { end } = wholeEvents(piece, at);
    if (end > at) {
      yield { from: at, content: piece.subarray(0, end - at), more: false };
      at = end;
      continue;
    }
    const first = at === 0 ? MAGIC.length : 0;
    if (piece.length < first + HEADER) return;
    const until = at + first + piece.readUInt32LE(first + 9);
    if (until - at <= piece.length || until > size) return;
    for (; at < until; ) {
      const content = readAt(handle, at, Math.min(until - at, largest));
      yield { from: at, content, more: at + content.length < until };
      at += content.length;
    }
  }
}

/** Whether a file was started because the server had started, and not because the one before it was full. */
export function startedByRestart(file: Buffer): boolean {
  // Of the first event: version of the format (2 bytes), of the server (50), and when the server was started, or 0.
  const at = MAGIC.length + HEADER + 52;
  return file.length >= at + 4 && file.readUInt32LE(at) !== 0;
}

/** An event of a binary log: where it begins and ends in its file, and its bytes, read when they are asked for. */
export interface BinlogEvent {
  readonly type: number;
  readonly from: number;
  readonly to: number;
  bytes(): Buffer;
}

/** The events of a file of the log, up to where it is complete. */
export function* eventsOf(path: string): Generator<BinlogEvent> {
  const file = openSync(path, "r");
  try {
    const { size } = fstatSync(file);
    for (let from = MAGIC.length; from + HEADER <= size; ) {
      const head = readAt(file, from, HEADER);
      const length = head.readUInt32LE(9);
      if (length < HEADER || from + length > size) return;
      const at = from;
      yield { type: head[4]!, from: at, to: at + length, bytes: () => readAt(file, at, length) };
      from += length;
    }
  } finally {
    closeSync(file);
  }
}
