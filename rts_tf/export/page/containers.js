// Puts a colour profile and EXIF into the JPEG, PNG or WebP that the browser has written.
"use strict";

const latin = string => Uint8Array.from(string, letter => letter.charCodeAt(0));
const big = (number, length) =>
  Uint8Array.from({ length }, (_, n) => number >>> 8 * (length - 1 - n));
const small = (number, length) => big(number, length).reverse();

/** The bytes of a file with a profile and an EXIF block, each of which may be null. */
async function withMetadata(bytes, type, profile, exif) {
  if (!profile && !exif) return bytes;
  const writers = { "image/jpeg": jpegWith, "image/png": pngWith, "image/webp": webpWith };
  return writers[type](bytes, profile, exif);
}

const MOST_IN_SEGMENT = 65533;

function jpegWith(bytes, profile, exif) {
  const segment = (marker, ...parts) => {
    const contents = joined(parts);
    return joined([Uint8Array.of(0xff, marker), big(contents.length + 2, 2), contents]);
  };
  const added = [];
  if (exif) added.push(segment(0xe1, latin(EXIF), exif));
  const each = MOST_IN_SEGMENT - ICC.length - 2;
  const count = profile ? Math.ceil(profile.length / each) : 0;
  for (let n = 0; n < count; n++) {
    const part = profile.subarray(n * each, (n + 1) * each);
    added.push(segment(0xe2, latin(ICC), Uint8Array.of(n + 1, count), part));
  }
  const kept = [];
  let end = 2;
  for (const [marker, from, stop] of jpegSegments(bytes)) {
    const isOld = (marker === 0xe1 && exif) || (marker === 0xe2 && profile);
    if (!isOld) kept.push(bytes.subarray(from - 4, stop));
    end = stop;
  }
  const first = kept.length && kept[0][1] === 0xe0 ? 1 : 0;  // APP0 stays the first one
  kept.splice(first, 0, ...added);
  return joined([bytes.subarray(0, 2), ...kept, bytes.subarray(end)]);
}

/** Whether an EXIF block fits into a file of this type. */
function takesExif(type, exif) {
  return type !== "image/jpeg" || exif.length + EXIF.length <= MOST_IN_SEGMENT;
}

const CRC = Uint32Array.from({ length: 256 }, (_, n) => {
  for (let bit = 0; bit < 8; bit++) n = n & 1 ? 0xedb88320 ^ n >>> 1 : n >>> 1;
  return n;
});
const crc = bytes => ~bytes.reduce((sum, byte) => CRC[(sum ^ byte) & 255] ^ sum >>> 8, ~0);

async function pngWith(bytes, profile, exif) {
  const chunk = (type, ...parts) => {
    const named = joined([latin(type), ...parts]);
    return joined([big(named.length - 4, 4), named, big(crc(named), 4)]);
  };
  const added = [];
  if (profile) {
    const compressed = await piped(profile, new CompressionStream("deflate"));
    added.push(chunk("iCCP", latin("profile\0\0"), compressed));
  }
  if (exif) added.push(chunk("eXIf", exif));
  const replaced = new Set(profile ? ["iCCP", "sRGB", "gAMA", "cHRM", "cICP"] : []);
  const kept = [];
  for (const [type, from, end] of pngChunks(bytes)) {
    if (!replaced.has(type)) kept.push(bytes.subarray(from - 8, end + 4));
  }
  return joined([bytes.subarray(0, 8), kept[0], ...added, ...kept.slice(1)]);
}

const WEBP_FLAGS = { ICCP: 0x20, ALPH: 0x10, EXIF: 0x08 };

function webpWith(bytes, profile, exif) {
  const chunk = (type, contents) => joined(
    [latin(type), small(contents.length, 4), contents, new Uint8Array(contents.length % 2)]);
  const replaced = ["VP8X", ...(profile ? ["ICCP"] : []), ...(exif ? ["EXIF"] : [])];
  const kept = [];
  let [flags, width, height] = [(profile && WEBP_FLAGS.ICCP) | (exif && WEBP_FLAGS.EXIF), 0, 0];
  for (const [type, from, end] of webpChunks(bytes)) {
    const data = new DataView(bytes.buffer, bytes.byteOffset + from, end - from);
    if (type === "VP8 ") {
      [width, height] = [data.getUint16(6, true) & 0x3fff, data.getUint16(8, true) & 0x3fff];
    } else if (type === "VP8L") {
      const packed = data.getUint32(1, true);
      [width, height] = [(packed & 0x3fff) + 1, (packed >>> 14 & 0x3fff) + 1];
      if (packed >>> 28 & 1) flags |= WEBP_FLAGS.ALPH;
    }
    flags |= WEBP_FLAGS[type] || 0;
    if (!replaced.includes(type)) kept.push(chunk(type, bytes.subarray(from, end)));
  }
  const size = joined([small(flags, 4), small(width - 1, 3), small(height - 1, 3)]);
  const chunks = joined([
    chunk("VP8X", size), ...(profile ? [chunk("ICCP", profile)] : []), ...kept,
    ...(exif ? [chunk("EXIF", exif)] : []),
  ]);
  return joined([latin("RIFF"), small(chunks.length + 4, 4), latin("WEBP"), chunks]);
}
