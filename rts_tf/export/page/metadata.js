// Reads what a file says beside its pixels: profile, EXIF, and what the page cannot keep.
"use strict";

const text = (bytes, from, length) => String.fromCharCode(...bytes.subarray(from, from + length));
const view = bytes => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
const EXIF = "Exif\0\0";

/**
 * What a file says.
 *
 * kind: jpeg, png, webp, gif, bmp, or "" for others. profile, exif: bytes or null; the EXIF block
 * begins with its byte order. left: names of what is not kept. encoded: whether colours are given
 * in another way than by an ICC profile for RGB, so that the browser has to convert them.
 */
async function inspected(bytes) {
  const found = { kind: kindOf(bytes), profile: null, exif: null, left: new Set(), encoded: "" };
  const readers = { jpeg: readJpeg, png: readPng, webp: readWebp, gif: readGif };
  try {
    await readers[found.kind]?.(bytes, found);
  } catch (error) {
    // A file that ends too early may still have pixels; the browser decides on that.
    found.left.add("what is behind a damaged place of the file");
  }
  if (!found.kind) {
    found.encoded = "the page reads the colours of this format through the browser alone";
    found.left.add("all metadata (this page keeps those of JPEG, PNG and WebP)");
  }
  if (found.profile && text(found.profile, 36, 4) !== "acsp") {
    found.profile = null;
    found.left.add("a damaged colour profile");
  }
  const space = found.profile && text(found.profile, 16, 4);
  if (space && space !== "RGB ") found.encoded = `its profile is for ${space.trim()}, not for RGB`;
  if (found.encoded) found.profile = null;
  return found;
}

function kindOf(bytes) {
  if (text(bytes, 0, 2) === "\xff\xd8") return "jpeg";
  if (text(bytes, 0, 4) === "\x89PNG") return "png";
  if (text(bytes, 0, 4) === "RIFF" && text(bytes, 8, 4) === "WEBP") return "webp";
  if (text(bytes, 0, 4) === "GIF8") return "gif";
  return text(bytes, 0, 2) === "BM" ? "bmp" : "";
}

/** The segments of a JPEG before its pixels: [marker, first byte of the contents, end]. */
function* jpegSegments(bytes) {
  const data = view(bytes);
  for (let at = 2; at + 4 <= bytes.length;) {
    if (bytes[at] !== 0xff) throw new RangeError("no segment");
    const marker = bytes[at + 1];
    if (marker === 0xff) at++;
    else if (marker === 0xda) return;
    else {
      const end = at + 2 + data.getUint16(at + 2);
      yield [marker, at + 4, end];
      at = end;
    }
  }
}

const JPEG_PARTS = [  // marker, how the contents begin, what it is
  [0xe1, "http://ns.adobe.com/x", "XMP"],
  [0xe2, "MPF\0", "further images in the file"],
  [0xe2, "urn:iso:std:iso:ts:21496", "the gain map for HDR screens"],
  [0xed, "Photoshop", "IPTC"],
  [0xfe, "", "comments"],
];
const ICC = "ICC_PROFILE\0";

function readJpeg(bytes, found) {
  const profile = [];
  for (const [marker, from, end] of jpegSegments(bytes)) {
    const begins = start => text(bytes, from, start.length) === start;
    if (marker === 0xe1 && begins(EXIF)) found.exif ??= bytes.slice(from + EXIF.length, end);
    else if (marker === 0xe2 && begins(ICC)) profile[bytes[from + 12]] = bytes.subarray(from + 14, end);
    else if (marker >= 0xc0 && marker < 0xd0 && ![0xc4, 0xc8, 0xcc].includes(marker)) {
      if (bytes[from + 5] === 4) found.encoded = "it is CMYK";
    }
    for (const [number, start, name] of JPEG_PARTS) {
      if (marker === number && begins(start)) found.left.add(name);
    }
  }
  if (profile.length) found.profile = joined(profile.filter(part => part));
}

/** The chunks of a PNG: [type, first byte of the contents, end]. */
function* pngChunks(bytes) {
  const data = view(bytes);
  for (let at = 8; at + 12 <= bytes.length;) {
    const end = at + 8 + data.getUint32(at);
    yield [text(bytes, at + 4, 4), at + 8, end];
    at = end + 4;
  }
}

async function readPng(bytes, found) {
  const types = new Set();
  for (const [type, from, end] of pngChunks(bytes)) {
    types.add(type);
    if (type === "IHDR" && bytes[from + 8] === 16) found.left.add("the lower 8 of 16 bits");
    if (type === "eXIf") found.exif = bytes.slice(from, end);
    if (type === "iCCP") {
      const compressed = bytes.subarray(bytes.indexOf(0, from) + 2, end);
      found.profile = await piped(compressed, new DecompressionStream("deflate"));
    }
  }
  if (["tEXt", "iTXt", "zTXt"].some(type => types.has(type))) found.left.add("texts (XMP too)");
  if (types.has("acTL")) found.left.add("all frames but the first");
  if (types.has("pHYs")) found.left.add("the resolution for prints");
  const other = ["cICP", "gAMA", "cHRM"].filter(type => types.has(type));
  if (types.has("cICP") || (other.length && !found.profile && !types.has("sRGB"))) {
    found.encoded = `its colours are given by ${other.join(" and ")}`;
  }
}

/** The chunks of a WebP: [type, first byte of the contents, end]. */
function* webpChunks(bytes) {
  const data = view(bytes);
  for (let at = 12; at + 8 <= bytes.length;) {
    const end = at + 8 + data.getUint32(at + 4, true);
    yield [text(bytes, at, 4), at + 8, end];
    at = end + end % 2;
  }
}

function readWebp(bytes, found) {
  for (const [type, from, end] of webpChunks(bytes)) {
    const contents = bytes.slice(from, end);
    if (type === "ICCP") found.profile = contents;
    if (type === "EXIF") found.exif = text(contents, 0, 6) === EXIF ? contents.slice(6) : contents;
    if (type === "XMP ") found.left.add("XMP");
    if (type === "ANIM") found.left.add("all frames but the first");
  }
}

function readGif(bytes, found) {
  // Frames have an extension for their time before them.
  let frames = 0;
  for (let at = bytes.indexOf(0x21); at >= 0; at = bytes.indexOf(0x21, at + 1)) {
    if (bytes[at + 1] === 0xf9 && bytes[at + 2] === 4 && bytes[at + 7] === 0) frames++;
  }
  if (frames > 1) found.left.add("all frames but the first");
}

/** Bytes that have gone through a stream, such as one that compresses. */
async function piped(bytes, stream) {
  const made = new Blob([bytes]).stream().pipeThrough(stream);
  return new Uint8Array(await new Response(made).arrayBuffer());
}

function joined(parts) {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
