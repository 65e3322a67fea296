// Runs the steps of a network on tiles with WebGL2.
"use strict";

const TENSOR_BYTES = 2 ** 24;  // of the largest tensor of a tile: a phone has some of these
const TILES = [1024, 512, 256, 128];  // pixels a side; each is a multiple of every packing
// What every device offers: layers that a draw fills, and 16 KiB for weights, less for biases. A
// longer shader also takes some drivers seconds to compile.
const MOST_LAYERS = 4;
const MOST_MATRICES = 240;
const SOFTWARE = /swiftshader|llvmpipe|softpipe|software|basic render/i;

/** A message for the reader of the page. */
class Problem extends Error {}

/** Makes the context: {gl, format, software}. */
function openedGraphics() {
  const made = options => new OffscreenCanvas(1, 1).getContext("webgl2", options);
  const fast = made({ failIfMajorPerformanceCaveat: true });
  const gl = fast || made({});
  if (!gl) throw new Problem("This browser offers no WebGL2, which this page computes with.");
  const floats = gl.getExtension("EXT_color_buffer_float");
  if (!floats && !gl.getExtension("EXT_color_buffer_half_float")) {
    throw new Problem("The graphics of this device cannot compute with fractions.");
  }
  const info = gl.getExtension("WEBGL_debug_renderer_info");
  const name = gl.getParameter(info ? info.UNMASKED_RENDERER_WEBGL : gl.RENDERER);
  return { gl, format: floats ? gl.RGBA32F : gl.RGBA16F, software: !fast || SOFTWARE.test(name) };
}

class Network {
  /** description: of the page's data; weights: a Float32Array that its steps point into. */
  constructor({ gl, format }, description, weights) {
    Object.assign(this, { gl, format, description, programs: new Map(), free: new Map() });
    this.tile = this.largestTile();
    this.reach = Math.max(0, ...description.steps.map(step => step.taps ? step.reach : 0));
    this.framebuffer = gl.createFramebuffer();
    this.parts = new Map();
    for (const step of description.steps) {
      if (step.kind === "convolution") this.parts.set(step, this.partsOf(step, weights));
    }
  }

  largestTile() {
    const bytes = Math.max(...this.description.steps.map(
      step => 16 * Math.ceil(step.channels / 4) * step.scale ** 2));
    return TILES.find(side => side ** 2 * bytes <= TENSOR_BYTES) || TILES.at(-1);
  }

  /** Divide a convolution so that the weights of each draw fit into one block. */
  partsOf(step, weights) {
    const { gl } = this;
    const taps = step.height * step.width;
    const [inputs, outputs] = [step.inputs[0], step.channels].map(n => Math.ceil(n / 4));
    const most = Math.max(1, Math.min(outputs, MOST_LAYERS, Math.floor(MOST_MATRICES / taps)));
    const groups = Math.max(1, Math.min(inputs, Math.floor(MOST_MATRICES / (taps * most))));
    const parts = [];
    for (let first = 0; first < inputs; first += groups) {
      const part = {
        first, groups: Math.min(groups, inputs - first),
        follows: first > 0, last: first + groups >= inputs, draws: [],
      };
      for (let layer = 0; layer < outputs; layer += most) {
        const count = Math.min(most, outputs - layer);
        const values = blockOfWeights(step, weights, part, layer, count);
        const buffer = gl.createBuffer();
        gl.bindBuffer(gl.UNIFORM_BUFFER, buffer);
        gl.bufferData(gl.UNIFORM_BUFFER, values, gl.STATIC_DRAW);
        part.draws.push({
          layer, count, buffer, shader: convolutionShader(step, { ...part, outputs: count }),
        });
      }
      parts.push(part);
    }
    return parts;
  }

  program(shader) {
    const { gl, programs } = this;
    if (programs.has(shader)) return programs.get(shader);
    const program = gl.createProgram();
    for (const [kind, text] of [[gl.VERTEX_SHADER, VERTEX], [gl.FRAGMENT_SHADER, shader]]) {
      const made = gl.createShader(kind);
      gl.shaderSource(made, text);
      gl.compileShader(made);
      gl.attachShader(program, made);
    }
    gl.linkProgram(program);
    if (!gl.getProgramParameter(program, gl.LINK_STATUS)) {
      const reason = gl.getAttachedShaders(program).map(made => gl.getShaderInfoLog(made)).join(" ");
      throw new Problem(`The graphics of this device refuse a shader: ${reason.trim()}`);
    }
    const uniforms = new Map();
    const count = gl.getProgramParameter(program, gl.ACTIVE_UNIFORMS);
    for (let i = 0; i < count; i++) {
      const { name, type } = gl.getActiveUniform(program, i);
      const location = gl.getUniformLocation(program, name);
      if (location) uniforms.set(name, { type, location });
    }
    programs.set(shader, { program, uniforms });
    return programs.get(shader);
  }

  /** Draw a triangle over `size` pixels of the bound framebuffer. */
  draw(shader, size, values, buffer = null) {
    const { gl } = this;
    const { program, uniforms } = this.program(shader);
    gl.useProgram(program);
    gl.viewport(0, 0, ...size);
    let unit = 0;
    for (const [name, { type, location }] of uniforms) {
      const value = values[name];
      if (type === gl.INT) gl.uniform1i(location, value);
      else if (type === gl.INT_VEC2) gl.uniform2i(location, ...value);
      else if (type === gl.FLOAT) gl.uniform1f(location, value);
      else {
        gl.activeTexture(gl.TEXTURE0 + unit);
        gl.bindTexture(type === gl.SAMPLER_2D ? gl.TEXTURE_2D : gl.TEXTURE_2D_ARRAY, value);
        gl.uniform1i(location, unit++);
      }
    }
    if (buffer) gl.bindBufferBase(gl.UNIFORM_BUFFER, 0, buffer);
    gl.drawArrays(gl.TRIANGLES, 0, 3);
  }

  /** Let draws go to some layers of a tensor. */
  target(tensor, layer, count) {
    const { gl } = this;
    gl.bindFramebuffer(gl.FRAMEBUFFER, this.framebuffer);
    for (let n = 0; n < MOST_LAYERS; n++) {
      const texture = n < count ? tensor.texture : null;
      gl.framebufferTextureLayer(
        gl.FRAMEBUFFER, gl.COLOR_ATTACHMENT0 + n, texture, 0, texture ? layer + n : 0);
    }
    gl.drawBuffers(Array.from({ length: count }, (_, n) => gl.COLOR_ATTACHMENT0 + n));
  }

  /** A texture array for a tensor, one that is not in use any more if there is one of that size. */
  tensor(size, channels) {
    const { gl } = this;
    const layers = Math.ceil(channels / 4);
    const key = [...size, layers].join();
    const texture = (this.free.get(key) || []).pop() || gl.createTexture();
    gl.bindTexture(gl.TEXTURE_2D_ARRAY, texture);
    if (!texture.key) {
      gl.texStorage3D(gl.TEXTURE_2D_ARRAY, 1, this.format, ...size, layers);
      gl.texParameteri(gl.TEXTURE_2D_ARRAY, gl.TEXTURE_MIN_FILTER, gl.NEAREST);
      gl.texParameteri(gl.TEXTURE_2D_ARRAY, gl.TEXTURE_MAG_FILTER, gl.NEAREST);
      texture.key = key;
    }
    return { texture, size, layers };
  }

  release({ texture }) {
    if (!this.free.has(texture.key)) this.free.set(texture.key, []);
    this.free.get(texture.key).push(texture);
  }

  /** Give the memory of all tensors back. */
  forget() {
    for (const textures of this.free.values()) {
      for (const texture of textures) this.gl.deleteTexture(texture);
    }
    this.free.clear();
  }

  /**
   * Compute one tile.
   *
   * tile: {x, y, width, height} in the image. pixels: see uploaded(). Returns RGBA of the tile.
   */
  run(tile, image, pixels, strength) {
    const window = grown(tile, this.reach, image);
    const shared = { ...pixels, origin: [window.x, window.y], image };
    const made = new Map();
    const { steps } = this.description;
    steps.forEach((step, index) => {
      made.set(step.name, this.step(step, window, step.sources.map(name => made.get(name)), shared));
      for (const name of new Set(step.sources)) {
        const needed = steps.slice(index + 1).some(later => later.sources.includes(name));
        if (!needed && made.has(name)) this.release(made.get(name));
      }
    });
    const output = made.get(steps.at(-1).name);
    const result = this.pixelsOf(tile, { ...shared, source: output.texture, strength });
    this.release(output);
    return result;
  }

  step(step, window, inputs, shared) {
    const { multiple } = this.description;
    if (step.kind === "border") {
      const size = [window.width, window.height].map(
        side => Math.ceil((side + 2 * step.pixels) / multiple) * multiple);
      const tensor = this.tensor(size, step.channels);
      this.target(tensor, 0, 1);
      this.draw(borderShader(step), size, shared);
      return tensor;
    }
    if (step.kind === "convolution") return this.convolution(step, inputs[0], shared);
    const [width, height] = inputs[0].size;
    const sizes = {
      pack: [width / step.block, height / step.block],
      unpack: [width * step.block, height * step.block],
      cut: [window.width, window.height],
    };
    const tensor = this.tensor(sizes[step.kind] || inputs[0].size, step.channels);
    const sources = Object.fromEntries(inputs.map(({ texture }, n) => [`source${n}`, texture]));
    for (let layer = 0; layer < tensor.layers; layer++) {
      this.target(tensor, layer, 1);
      this.draw(movingShader(step), tensor.size, { ...shared, ...sources, layer });
    }
    return tensor;
  }

  convolution(step, { texture, size }, shared) {
    let earlier = null;
    for (const part of this.parts.get(step)) {
      const tensor = this.tensor(size, step.channels);
      for (const { layer, count, buffer, shader } of part.draws) {
        this.target(tensor, layer, count);
        const sources = {
          source: texture, earlier: earlier && earlier.texture, first: part.first,
        };
        this.draw(shader, size, { ...shared, ...sources, size, layer }, buffer);
      }
      if (earlier) this.release(earlier);
      earlier = tensor;
    }
    return earlier;
  }

  /** The samples of a tile, RGBA. */
  pixelsOf(tile, shared) {
    const { gl } = this;
    const size = [tile.width, tile.height];
    const buffer = gl.createRenderbuffer();
    gl.bindRenderbuffer(gl.RENDERBUFFER, buffer);
    gl.renderbufferStorage(gl.RENDERBUFFER, gl.RGBA8, ...size);
    this.target({}, 0, 0);
    gl.framebufferRenderbuffer(gl.FRAMEBUFFER, gl.COLOR_ATTACHMENT0, gl.RENDERBUFFER, buffer);
    gl.drawBuffers([gl.COLOR_ATTACHMENT0]);
    const shader = resultShader(this.description.channels);
    this.draw(shader, size, { ...shared, tile: [tile.x, tile.y] });
    const samples = new Uint8ClampedArray(4 * tile.width * tile.height);
    const bytes = new Uint8Array(samples.buffer);
    gl.readPixels(0, 0, ...size, gl.RGBA, gl.UNSIGNED_BYTE, bytes);
    gl.deleteRenderbuffer(buffer);
    return samples;
  }
}

/** A rectangle with more pixels on each side, as far as the image goes. */
function grown({ x, y, width, height }, pixels, [right, bottom]) {
  const [left, top] = [Math.max(0, x - pixels), Math.max(0, y - pixels)];
  return {
    x: left, y: top,
    width: Math.min(right, x + width + pixels) - left,
    height: Math.min(bottom, y + height + pixels) - top,
  };
}

/** The weights of a draw as its block has them: matrices, column by column, then biases. */
function blockOfWeights(step, weights, { first, groups, follows }, layer, count) {
  const [inputs, outputs] = [step.inputs[0], step.channels];
  const taps = step.height * step.width;
  const values = new Float32Array(16 * taps * groups * count + 4 * count);
  let next = 0;
  for (let tap = 0; tap < taps; tap++) {
    for (let group = first; group < first + groups; group++) {
      for (let n = layer; n < layer + count; n++) {
        for (let input = 4 * group; input < 4 * group + 4; input++) {
          for (let output = 4 * n; output < 4 * n + 4; output++, next++) {
            if (input >= inputs || output >= outputs) continue;
            values[next] = weights[step.kernel + (tap * inputs + input) * outputs + output];
          }
        }
      }
    }
  }
  for (let output = 4 * layer; output < 4 * (layer + count); output++, next++) {
    if (!follows && output < outputs) values[next] = weights[step.bias + output];
  }
  return values;
}
