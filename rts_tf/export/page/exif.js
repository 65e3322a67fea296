// Makes an EXIF block fit the pixels of the result: upright, of their size, without a preview.
"use strict";

const TAGS = { orientation: 0x112, exif: 0x8769, width: 0xa002, height: 0xa003 };
const PREVIEW = { start: 0x201, length: 0x202 };

/**
 * Change a block, which begins with its byte order, in place.
 *
 * Returns the orientation that it had, 1 to 8, or 0 if the block is damaged.
 */
function madeUpright(block, width, height) {
  const data = view(block);
  const order = text(block, 0, 2);
  const little = order === "II";
  const entries = function* (directory) {
    const count = data.getUint16(directory, little);
    for (let n = 0; n < count; n++) {
      const at = directory + 2 + 12 * n;
      yield [data.getUint16(at, little), data.getUint16(at + 2, little), at + 8];
    }
  };
  const after = directory => directory + 2 + 12 * data.getUint16(directory, little);
  const SHORT = 3;
  const number = (type, at) => type === SHORT ? data.getUint16(at, little) : data.getUint32(at, little);
  const write = (type, at, value) => {
    if (type === SHORT) data.setUint16(at, value, little);
    else data.setUint32(at, value, little);
  };
  try {
    if ((!little && order !== "MM") || data.getUint16(2, little) !== 42) return 0;
    const main = data.getUint32(4, little);
    let orientation = 1;
    for (const [tag, type, at] of entries(main)) {
      if (tag === TAGS.orientation) {
        orientation = number(type, at);
        write(type, at, 1);
      } else if (tag === TAGS.exif) {
        for (const [inner, innerType, innerAt] of entries(data.getUint32(at, little))) {
          if (inner === TAGS.width) write(innerType, innerAt, width);
          if (inner === TAGS.height) write(innerType, innerAt, height);
        }
      }
    }
    const preview = data.getUint32(after(main), little);
    if (preview) {
      const places = new Map([...entries(preview)].map(([tag, type, at]) => [tag, number(type, at)]));
      const start = places.get(PREVIEW.start) || 0;
      block.fill(0, start, start + (start ? places.get(PREVIEW.length) || 0 : 0));
      data.setUint32(after(main), 0, little);
    }
    return orientation >= 1 && orientation <= 8 ? orientation : 1;
  } catch (error) {  // a place beyond the end
    return 0;
  }
}
