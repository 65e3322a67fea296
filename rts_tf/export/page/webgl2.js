// Computes the steps of a network with WebGL2.
"use strict";

/** Open WebGL2: {software, network}, where network() makes one of a description and weights. */
function openedWebGL2() {
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
  const format = floats ? gl.RGBA32F : gl.RGBA16F;
  return {
    name: "WebGL2",
    software: !fast || SOFTWARE.test(name),
    network: (...described) => new WebGL2Network(gl, format, ...described),
  };
}

class WebGL2Network extends Network {
  constructor(gl, format, ...described) {
    super(...described);
    Object.assign(this, { gl, format, programs: new Map(), framebuffer: gl.createFramebuffer() });
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

  made(target) {
    const { gl } = this;
    const texture = gl.createTexture();
    gl.bindTexture(target, texture);
    gl.texParameteri(target, gl.TEXTURE_MIN_FILTER, gl.NEAREST);
    gl.texParameteri(target, gl.TEXTURE_MAG_FILTER, gl.NEAREST);
    return texture;
  }

  texture(size, layers) {
    const { gl } = this;
    const texture = this.made(gl.TEXTURE_2D_ARRAY);
    gl.texStorage3D(gl.TEXTURE_2D_ARRAY, 1, this.format, ...size, layers);
    return texture;
  }

  uploaded(part) {
    const { gl } = this;
    const texture = this.made(gl.TEXTURE_2D);
    gl.pixelStorei(gl.UNPACK_COLORSPACE_CONVERSION_WEBGL, gl.NONE);
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA8, gl.RGBA, gl.UNSIGNED_BYTE, part);
    return texture;
  }

  remove(texture) {
    this.gl.deleteTexture(texture);
  }

  weights(values) {
    const { gl } = this;
    const buffer = gl.createBuffer();
    gl.bindBuffer(gl.UNIFORM_BUFFER, buffer);
    gl.bufferData(gl.UNIFORM_BUFFER, values, gl.STATIC_DRAW);
    return buffer;
  }

  border(step, tensor, shared) {
    this.target(tensor, 0, 1);
    this.draw(borderShader(step), tensor.size, shared);
  }

  move(step, inputs, tensor, shared) {
    const sources = Object.fromEntries(inputs.map(({ texture }, n) => [`source${n}`, texture]));
    for (let layer = 0; layer < tensor.layers; layer++) {
      this.target(tensor, layer, 1);
      this.draw(movingShader(step), tensor.size, { ...shared, ...sources, layer });
    }
  }

  convolve(step, part, draw, { source, earlier, tensor }, shared) {
    const { layer, count, buffer } = draw;
    draw.shader ||= convolutionShader(step, { ...part, outputs: count });
    const sources = { source: source.texture, earlier: earlier && earlier.texture };
    const { size } = tensor;
    this.target(tensor, layer, count);
    const places = { size, first: part.first, layer };
    this.draw(draw.shader, size, { ...shared, ...sources, ...places }, buffer);
  }

  samples(tile, output, shared) {
    const { gl } = this;
    const size = [tile.width, tile.height];
    const buffer = gl.createRenderbuffer();
    gl.bindRenderbuffer(gl.RENDERBUFFER, buffer);
    gl.renderbufferStorage(gl.RENDERBUFFER, gl.RGBA8, ...size);
    this.target({}, 0, 0);
    gl.framebufferRenderbuffer(gl.FRAMEBUFFER, gl.COLOR_ATTACHMENT0, gl.RENDERBUFFER, buffer);
    gl.drawBuffers([gl.COLOR_ATTACHMENT0]);
    const shader = resultShader(this.description.channels);
    this.draw(shader, size, { ...shared, source: output.texture });
    const samples = new Uint8ClampedArray(4 * tile.width * tile.height);
    gl.readPixels(0, 0, ...size, gl.RGBA, gl.UNSIGNED_BYTE, new Uint8Array(samples.buffer));
    gl.deleteRenderbuffer(buffer);
    if (gl.isContextLost()) {
      throw new Problem("The graphics of this device gave up. Load the page again.");
    }
    return samples;
  }
}
