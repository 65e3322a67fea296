// Makes an EXIF block fit the pixels of the result: upright, of their size, without a preview.
"use strict";

const TAGS = { orientation: 0x112, exif: 0x8769, width: 0xa002, height: 0xa003 };
const PREVIEW = { start: 0x201, length: 0x202 };

/** Reads and writes a block, which begins with its byte order. A place beyond the end is an error. */
class Exif {
  constructor(block) {
    this.block = block;
    this.data = view(block);
    const order = text(block, 0, 2);
    this.little = order === "II";
    if ((!this.little && order !== "MM") || this.short(2) !== 42) throw new RangeError("no EXIF");
    this.main = this.long(4);
  }

  short(at) {
    return this.data.getUint16(at, this.little);
  }

  long(at) {
    return this.data.getUint32(at, this.little);
  }

  /** The entries of a directory: [tag, whether it is long, place of its value]. */
  * entries(directory) {
    const count = this.short(directory);
    for (let n = 0; n < count; n++) {
      const at = directory + 2 + 12 * n;
      yield [this.short(at), this.short(at + 2) !== 3, at + 8];
    }
  }

  /** The value of a tag, or 0. */
  value(directory, wanted) {
    for (const [tag, long, at] of this.entries(directory)) {
      if (tag === wanted) return long ? this.long(at) : this.short(at);
    }
    return 0;
  }

  /** Write the value of a tag if there is one. */
  write(directory, wanted, value) {
    for (const [tag, long, at] of this.entries(directory)) {
      if (tag !== wanted) continue;
      if (long) this.data.setUint32(at, value, this.little);
      else this.data.setUint16(at, value, this.little);
    }
  }

  /** Where the place of the directory behind another one stands. */
  behind(directory) {
    return directory + 2 + 12 * this.short(directory);
  }
}

/** The orientation that a block states, 1 to 8, or 0 if the block is damaged. */
function orientationOf(block) {
  try {
    const exif = new Exif(block);
    makeUpright(block.slice(), 1, 1);  // whether that works
    const stated = exif.value(exif.main, TAGS.orientation);
    return stated >= 1 && stated <= 8 ? stated : 1;
  } catch (error) {
    return 0;
  }
}

/** Change a block in place. */
function makeUpright(block, width, height) {
  const exif = new Exif(block);
  exif.write(exif.main, TAGS.orientation, 1);
  const inner = exif.value(exif.main, TAGS.exif);
  if (inner) {
    exif.write(inner, TAGS.width, width);
    exif.write(inner, TAGS.height, height);
  }
  const preview = exif.long(exif.behind(exif.main));
  if (!preview) return;
  const start = exif.value(preview, PREVIEW.start);
  if (start) block.fill(0, start, start + exif.value(preview, PREVIEW.length));
  exif.data.setUint32(exif.behind(exif.main), 0, exif.little);
}
