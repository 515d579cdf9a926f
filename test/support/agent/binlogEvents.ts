/** What a binary log begins with. */
export const MAGIC = Buffer.from([0xfe, 0x62, 0x69, 0x6e]);
/** An event of a binary log: header and body. */
export const event = (time: number, type: number, body = Buffer.alloc(21)): Buffer => {
  const head = Buffer.alloc(19);
  head.writeUInt32LE(time, 0);
  head[4] = type;
  head.writeUInt32LE(19 + body.length, 9);
  return Buffer.concat([head, body]);
};
/** A statement, with two bytes of variables before the schema's name. */
export const query = (schema: string, text: string, time = 100): Buffer => {
  const fixed = Buffer.alloc(13);
  fixed[8] = Buffer.byteLength(schema);
  fixed.writeUInt16LE(2, 11);
  return event(time, 2, Buffer.concat([fixed, Buffer.from([0, 1]), Buffer.from(`${schema}\0${text}`)]));
};
/** The first event of a file; `start` where the server had just started. */
export const format = (time: number, start: number): Buffer => {
  const body = Buffer.alloc(60);
  body.writeUInt32LE(start, 52);
  return event(time, 15, body);
};
export const STOP = 3;
export const ROTATE = 4;
export const ROWS = 23;
