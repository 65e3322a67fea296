// The worker: takes files, enhances them tile by tile, and gives files back.
"use strict";

const NAMES = { "image/jpeg": "JPEG", "image/png": "PNG", "image/webp": "WebP" };
const QUALITY = 0.95;  // of JPEG and WebP
const BEYOND = "The image is too large for this browser.";

let graphics = null;
let data = null;  // the networks of the page
let weights = null;
let probe = "";  // a PNG in base64, see keepsSamples()
const networks = new Map();
let current = 0;  // the number of the job that is wanted
let decoded = { file: null };  // the last image, which another strength needs again

class Superseded extends Error {}

function network(index) {
  if (!networks.has(index)) {
    networks.set(index, new Network(graphics, data[index], weights));
  }
  return networks.get(index);
}

/** Decode a file: {bitmap, found, notes}. What it says is kept where the pixels allow it. */
async function opened(file) {
  if (decoded.file === file) return decoded;
  decoded.bitmap?.close();
  decoded = { file: null };
  const bytes = new Uint8Array(await file.arrayBuffer());
  const found = await inspected(bytes);
  const notes = [];
  if (found.profile && !await keepsSamples()) {
    found.profile = null;
    found.encoded = "this browser does not give the samples of the file as they are";
  }
  const colorSpaceConversion = found.encoded ? "default" : "none";
  let bitmap;
  try {
    bitmap = await createImageBitmap(
      file, { colorSpaceConversion, premultiplyAlpha: "none", imageOrientation: "from-image" });
  } catch (error) {
    throw new Problem(`This browser cannot read the file (${error.message}).`);
  }
  if (found.encoded) notes.push(`The colours were converted to sRGB: ${found.encoded}.`);
  if (found.profile) notes.push("The colour profile was kept.");
  if (found.exif) {
    const orientation = madeUpright(found.exif, bitmap.width, bitmap.height);
    if (!orientation) {
      found.exif = null;
      found.left.add("damaged EXIF");
    } else if (orientation > 1) notes.push("The image was turned upright.");
  }
  decoded = { file, bitmap, found, notes };
  return decoded;
}

/** Whether the browser gives samples without converting them from the profile of their file. */
async function keepsSamples() {
  const bytes = Uint8Array.from(atob(probe), letter => letter.charCodeAt(0));
  const bitmap = await createImageBitmap(
    new Blob([bytes], { type: "image/png" }), { colorSpaceConversion: "none" });
  const context = new OffscreenCanvas(1, 1).getContext("2d");
  context.drawImage(bitmap, 0, 0);
  const [red, green, blue] = context.getImageData(0, 0, 1, 1).data;
  return red === 200 && green === 100 && blue === 50;
}

/** The texture of the part of an image that a tile depends on. */
async function uploaded(bitmap, { x, y, width, height }) {
  const { gl } = graphics;
  const part = await createImageBitmap(bitmap, x, y, width, height, { premultiplyAlpha: "none" });
  const texture = gl.createTexture();
  gl.bindTexture(gl.TEXTURE_2D, texture);
  gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MIN_FILTER, gl.NEAREST);
  gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MAG_FILTER, gl.NEAREST);
  gl.pixelStorei(gl.UNPACK_COLORSPACE_CONVERSION_WEBGL, gl.NONE);
  gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA8, gl.RGBA, gl.UNSIGNED_BYTE, part);
  part.close();
  return { pixels: texture, start: [x, y] };
}

async function enhanced(job, bitmap) {
  const { gl } = graphics;
  const chosen = network(job.network);
  const image = [bitmap.width, bitmap.height];
  const canvas = new OffscreenCanvas(...image);
  const context = canvas.getContext("2d");
  if (!context) throw new Problem(BEYOND);
  const columns = Math.ceil(image[0] / chosen.tile);
  const count = columns * Math.ceil(image[1] / chosen.tile);
  let transparent = false;
  const around = chosen.description.radius + chosen.description.multiple;
  for (let n = 0; n < count; n++) {
    const [x, y] = [n % columns * chosen.tile, Math.floor(n / columns) * chosen.tile];
    const tile = grown({ x, y, width: chosen.tile, height: chosen.tile }, 0, image);
    const texture = await uploaded(bitmap, grown(tile, around, image));
    if (job.number !== current) throw new Superseded();
    const samples = chosen.run(tile, image, texture, job.strength);
    gl.deleteTexture(texture.pixels);
    if (gl.isContextLost()) throw new Problem("The graphics of this device gave up. Load the page again.");
    transparent ||= samples.some((sample, n) => n % 4 === 3 && sample < 255);
    context.putImageData(new ImageData(samples, tile.width, tile.height), x, y);
    postMessage({ kind: "progress", number: job.number, share: (n + 1) / count });
    await new Promise(resolve => setTimeout(resolve));  // lets a newer job arrive
  }
  chosen.forget();
  return { canvas, transparent };
}

/** Encode the result, with what is kept of the file: {blob, notes}. */
async function encoded(canvas, job, { found, notes }, transparent) {
  const left = new Set(found.left);
  const said = [...notes];
  if (transparent && job.type === "image/jpeg") {
    said.push("A JPEG cannot be transparent: what was transparent is white.");
    const context = canvas.getContext("2d");
    context.globalCompositeOperation = "destination-over";
    context.fillStyle = "white";
    context.fillRect(0, 0, canvas.width, canvas.height);
  }
  const blob = await canvas.convertToBlob({ type: job.type, quality: QUALITY });
  if (blob.type !== job.type) {
    said.push(`This browser does not write ${NAMES[job.type]}: the result is a PNG.`);
  }
  let exif = found.exif;
  if (exif && !takesExif(blob.type, exif)) {
    exif = null;
    left.add("EXIF, which is too large for a JPEG");
  }
  if (exif) said.push("EXIF was kept, with the place if it has one, without its preview.");
  if (left.size) said.push(`Not kept: ${[...left].join("; ")}.`);
  const bytes = new Uint8Array(await blob.arrayBuffer());
  const whole = await withMetadata(bytes, blob.type, found.profile, exif);
  return { blob: new Blob([whole], { type: blob.type }), notes: said };
}

async function done(job) {
  try {
    const image = await opened(job.file);
    const { canvas, transparent } = await enhanced(job, image.bitmap);
    const { blob, notes } = await encoded(canvas, job, image, transparent);
    const { width, height } = canvas;
    if (job.number !== current) return;
    postMessage({ kind: "result", number: job.number, blob, notes, width, height });
  } catch (error) {
    if (error instanceof Superseded) return;
    const reason = error instanceof Problem ? error.message : `${BEYOND} (${error.message})`;
    postMessage({ kind: "failure", number: job.number, reason });
  }
}

let queue = Promise.resolve();

onmessage = ({ data: message }) => {
  if (message.kind === "start") {
    try {
      graphics = openedGraphics();
      data = message.networks;
      probe = message.probe;
      weights = new Float32Array(message.weights);
      postMessage({ kind: "ready", software: graphics.software });
    } catch (error) {
      postMessage({ kind: "unable", reason: error.message });
    }
    return;
  }
  current = message.number;
  queue = queue.then(() => message.number === current && done(message));
};
