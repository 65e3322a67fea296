// The worker: takes files, enhances them tile by tile, and gives files back.
"use strict";

const NAMES = { "image/jpeg": "JPEG", "image/png": "PNG", "image/webp": "WebP" };
const QUALITY = 0.95;  // of JPEG and WebP
const BEYOND = "The image is too large for this browser.";

let graphics = null;
let data = null;  // the networks of the page
let weights = null;
let probes = {};  // small files in base64, see keepsSamples() and turns()
const networks = new Map();
let current = 0;  // the number of the job that is wanted
let decoded = { file: null };  // the last image, which another strength needs again

class Superseded extends Error {}

function network(index) {
  if (!networks.has(index)) {
    networks.set(index, graphics.network(data[index], weights));
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
  let before = null;
  if (found.exif) {
    const orientation = orientationOf(found.exif);
    if (!orientation) {
      found.exif = null;
      found.left.add("damaged EXIF");
    } else if (orientation > 1) {
      notes.push("The image was turned upright.");
      const needed = await turns(found.kind) ? 1 : orientation;
      ({ bitmap, before } = await turned(bitmap, needed, found));
    }
  }
  if (found.exif) makeUpright(found.exif, bitmap.width, bitmap.height);
  decoded = { file, bitmap, before, found, notes };
  return decoded;
}

const probe = name => new Blob([Uint8Array.from(atob(probes[name]), sign => sign.charCodeAt(0))]);

/** Whether the browser gives samples without converting them from the profile of their file. */
async function keepsSamples() {
  const bitmap = await createImageBitmap(probe("profile"), { colorSpaceConversion: "none" });
  const context = new OffscreenCanvas(1, 1).getContext("2d");
  context.drawImage(bitmap, 0, 0);
  const [red, green, blue] = context.getImageData(0, 0, 1, 1).data;
  return red === 200 && green === 100 && blue === 50;
}

/** Whether the browser turns images of a kind by their EXIF, as all do with JPEG. */
async function turns(kind) {
  if (!(kind in probes)) return true;
  const bitmap = await createImageBitmap(probe(kind), { imageOrientation: "from-image" });
  return bitmap.height > bitmap.width;  // it lies on its side in the file
}

/**
 * An image turned by an orientation, and a file of it to compare with if the browser did not turn it.
 *
 * What the browser has turned is drawn as well: Chromium cuts parts out of it at other places.
 */
async function turned(bitmap, orientation, found) {
  const { width, height } = bitmap;
  const canvas = new OffscreenCanvas(...orientation > 4 ? [height, width] : [width, height]);
  const context = canvas.getContext("2d");
  if (!context) throw new Problem(BEYOND);
  context.setTransform(...[
    [1, 0, 0, 1, 0, 0], [-1, 0, 0, 1, width, 0], [-1, 0, 0, -1, width, height],
    [1, 0, 0, -1, 0, height], [0, 1, 1, 0, 0, 0], [0, 1, -1, 0, height, 0],
    [0, -1, -1, 0, height, width], [0, -1, 1, 0, 0, width],
  ][orientation - 1]);
  context.drawImage(bitmap, 0, 0);
  bitmap.close();
  let before = null;
  if (orientation > 1) {
    const png = new Uint8Array(await (await canvas.convertToBlob()).arrayBuffer());
    before = new Blob([await withMetadata(png, "image/png", found.profile, null)]);
  }
  return { bitmap: canvas.transferToImageBitmap(), before };
}

const sayReady = () =>
  postMessage({ kind: "ready", graphics: graphics.name, software: graphics.software });

/** Open WebGPU if it is there and WebGL2 otherwise, and say so. */
async function openGraphics() {
  graphics = await openedWebGPU() || openedWebGL2();
  sayReady();
}

/** Go on with WebGL2. */
function leaveWebGPU() {
  graphics.close();
  networks.clear();
  graphics = openedWebGL2();
  sayReady();
}

/** The RGBA of a tile. If WebGPU fails, WebGL2 computes this tile and all later ones. */
async function computed(job, bitmap, tile, image) {
  const chosen = network(job.network);
  const { x, y, width, height } = grown(tile, chosen.around, image);
  const part = await createImageBitmap(bitmap, x, y, width, height, { premultiplyAlpha: "none" });
  try {
    if (job.number !== current) throw new Superseded();
    return await chosen.run(tile, image, { part, start: [x, y] }, job.strength);
  } catch (error) {
    if (error instanceof Superseded || !graphics.close) throw error;
    leaveWebGPU();
  } finally {
    part.close();
  }
  return computed(job, bitmap, tile, image);
}

async function enhanced(job, { bitmap, found }) {
  const side = network(job.network).tile;
  const image = [bitmap.width, bitmap.height];
  const canvas = new OffscreenCanvas(...image);
  const context = canvas.getContext("2d");
  if (!context) throw new Problem(BEYOND);
  const columns = Math.ceil(image[0] / side);
  const count = columns * Math.ceil(image[1] / side);
  let transparent = false;
  for (let n = 0; n < count; n++) {
    const [x, y] = [n % columns * side, Math.floor(n / columns) * side];
    const tile = grown({ x, y, width: side, height: side }, 0, image);
    const samples = await computed(job, bitmap, tile, image);
    transparent ||= found.kind !== "jpeg" && samples.some((sample, n) => n % 4 === 3 && sample < 255);
    context.putImageData(new ImageData(samples, tile.width, tile.height), x, y);
    postMessage({ kind: "progress", number: job.number, share: (n + 1) / count });
    await new Promise(resolve => setTimeout(resolve));  // lets a newer job arrive
  }
  network(job.network).forget();
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
    const { canvas, transparent } = await enhanced(job, image);
    const { blob, notes } = await encoded(canvas, job, image, transparent);
    const { width, height } = canvas;
    if (job.number !== current) return;
    const { before } = image;
    postMessage({ kind: "result", number: job.number, before, blob, notes, width, height });
  } catch (error) {
    if (error instanceof Superseded) return;
    const reason = error instanceof Problem ? error.message : `${BEYOND} (${error.message})`;
    postMessage({ kind: "failure", number: job.number, reason });
  }
}

let queue = Promise.resolve();

onmessage = ({ data: message }) => {
  if (message.kind === "start") {
    data = message.networks;
    probes = message.probes;
    weights = new Float32Array(message.weights);
    openGraphics().catch(error => postMessage({ kind: "unable", reason: error.message }));
    return;
  }
  if (message.kind === "stop") {
    current = 0;
    return;
  }
  current = message.number;
  queue = queue.then(() => message.number === current && done(message));
};
