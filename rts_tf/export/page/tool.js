"use strict";

const element = id => document.getElementById(id);
const networks = JSON.parse(element("networks").textContent);
const images = [];  // {file, name, before, after, key, notes, failure, row}
const ENDINGS = { "image/jpeg": "jpg", "image/png": "png", "image/webp": "webp" };
const WAIT = 150;  // milliseconds for which the strength stands still before work begins
let shown = null;
let job = { number: 0, image: null };
let ready = false;
let waiting = 0;
let standing = "";  // the notice that holds for all images

const settings = () => ({
  network: Number(element("network").value),
  strength: element("strength").value / 100,
  type: element("format").value,
});
const key = () => JSON.stringify(settings());
const isDone = image => image.key === key();

function notice(text) {
  element("notice").textContent = text;
  element("notice").hidden = !text;
}

/** Say what happens, for the eye and for screen readers. */
function status(text) {
  if (element("status").textContent !== text) element("status").textContent = text;
}

// The worker

const bytesOf = id => Uint8Array.from(atob(element(id).textContent), letter => letter.charCodeAt(0));

function started() {
  const source = new Blob([element("worker").textContent], { type: "text/javascript" });
  const address = URL.createObjectURL(source);
  const worker = new Worker(address);
  worker.onmessage = ({ data }) => answers[data.kind](data);
  worker.onerror = ({ message }) => notice(`This browser does not run the page: ${message}`);
  const weights = bytesOf("weights").buffer;
  const probes = JSON.parse(element("probes").textContent);
  worker.postMessage({ kind: "start", networks, probes, weights }, [weights]);
  return worker;
}

const answers = {
  ready({ graphics, software }) {
    ready = true;
    document.body.dataset.graphics = graphics;
    if (software) {
      standing = "This browser computes without a graphics card, so an image takes longer here."
        + " The result is the same.";
      notice(standing);
    }
    work();
  },
  unable({ reason }) {
    notice(reason);
    for (const input of document.querySelectorAll("#tool input, #tool select")) input.disabled = true;
  },
  progress({ number, share }) {
    if (number !== job.number) return;
    element("progress").value = share;
  },
  result({ number, before, blob, notes, width, height }) {
    if (number !== job.number) return;
    const { image } = job;
    if (image.after) URL.revokeObjectURL(image.after);
    Object.assign(image, { blob, notes, width, height, key: job.key, failure: "" });
    image.after = URL.createObjectURL(blob);
    if (before) {  // the browser does not show the file upright
      URL.revokeObjectURL(image.before);
      image.before = URL.createObjectURL(before);
    }
    finished();
  },
  failure({ number, reason }) {
    if (number !== job.number) return;
    Object.assign(job.image, { failure: reason, key: job.key });
    finished();
  },
};

function finished() {
  job.image = null;
  show();
  work();
}

/** Begin with the image that is shown, or else with the next one that is not done. */
function work() {
  if (!ready || job.image) return;
  const image = shown && !isDone(shown) ? shown : images.find(each => !isDone(each));
  if (image) {
    job = { number: job.number + 1, image, key: key() };
    element("progress").value = 0;
    worker.postMessage({ kind: "enhance", number: job.number, file: image.file, ...settings() });
  }
  show();
}

/** Begin again, since a setting or the image that is shown has changed. */
function restart() {
  job.image = null;
  work();
}

// What is seen

const resultName = image =>
  `${image.name.replace(/\.[^.]*$/, "")}_enhanced.${ENDINGS[image.blob.type]}`;
const results = () => images.filter(image => isDone(image) && !image.failure);
const stateOf = image => {
  if (image === job.image) return "being enhanced";
  if (!isDone(image)) return "waits";
  return image.failure ? "failed" : "done";
};

function show() {
  element("result").hidden = !shown;
  element("several").hidden = images.length < 2;
  element("all").disabled = !results().length;
  for (const image of images) {
    image.row.setAttribute("aria-current", image === shown);
    image.row.lastChild.textContent = stateOf(image);
  }
  if (!shown) return;
  const done = isDone(shown);
  element("name").textContent = shown.name;
  element("progress").hidden = shown !== job.image;
  showSlider(Boolean(shown.after) && !(done && shown.failure));
  const download = element("download");
  const offered = done && !shown.failure;
  download.classList.toggle("off", !offered);
  download.setAttribute("aria-disabled", !offered);
  if (offered) {
    download.href = shown.after;
    download.download = resultName(shown);
    download.textContent = `Download ${ENDINGS[shown.blob.type].toUpperCase()}`;
  } else download.removeAttribute("href");
  const notes = done && !shown.failure ? shown.notes : [];
  element("notes").replaceChildren(...notes.map(note => {
    const item = document.createElement("li");
    item.textContent = note;
    return item;
  }));
  if (done && shown.failure) status(shown.failure);
  else if (done) status(`Enhanced: ${shown.width} × ${shown.height} pixels.`);
  else status("Being enhanced.");
}

function showSlider(visible) {
  const slider = document.querySelector(".slider");
  slider.hidden = !visible;
  if (!visible) return;
  const [before, after] = slider.querySelectorAll("img");
  slider.style.setProperty("--width", shown.width);
  slider.style.setProperty("--height", shown.height);
  for (const [image, address] of [[before, shown.before], [after, shown.after]]) {
    image.width = shown.width;
    image.height = shown.height;
    if (image.src !== address) image.src = address;
  }
}

/** Take files: those that are images go to the list, and the first of them is shown. */
function add(files) {
  const taken = [...files].filter(file => file.type.startsWith("image/") || !file.type);
  if (!taken.length) {
    if (files.length) notice("None of these files is an image.");
    return;
  }
  notice(standing);
  const made = taken.map(file => {
    const image = { file, name: file.name || "pasted.png", before: URL.createObjectURL(file) };
    image.row = document.createElement("button");
    image.row.type = "button";
    for (const text of [image.name, ""]) {
      image.row.append(Object.assign(document.createElement("span"), { textContent: text }));
    }
    image.row.addEventListener("click", () => {
      shown = image;
      if (isDone(image)) show();
      else restart();
    });
    const item = document.createElement("li");
    item.append(image.row);
    element("list").append(item);
    return image;
  });
  images.push(...made);
  shown = made[0];
  restart();
}

/** Forget all images and their results. */
function clear() {
  for (const { before, after } of images) {
    URL.revokeObjectURL(before);
    if (after) URL.revokeObjectURL(after);
  }
  images.length = 0;
  element("list").replaceChildren();
  shown = null;
  job = { number: job.number + 1, image: null };
  worker.postMessage({ kind: "stop" });
  show();
}

// What the reader does

element("files").addEventListener("change", event => {
  add(event.target.files);
  event.target.value = "";  // so that the same file can be chosen again
});
document.addEventListener("paste", event => add(event.clipboardData.files));
document.addEventListener("dragover", event => {
  event.preventDefault();
  document.body.classList.add("dragged");
});
document.addEventListener("dragleave", event => {
  if (!event.relatedTarget) document.body.classList.remove("dragged");
});
document.addEventListener("drop", event => {
  event.preventDefault();
  document.body.classList.remove("dragged");
  add(event.dataTransfer.files);
});
element("strength").addEventListener("input", event => {
  element("percent").textContent = `${event.target.value} %`;
  clearTimeout(waiting);
  waiting = setTimeout(restart, WAIT);
});
for (const id of ["network", "format"]) element(id).addEventListener("change", restart);
element("clear").addEventListener("click", () => {
  clear();
  element("files").focus();
});
element("all").addEventListener("click", () => {
  for (const image of results()) {
    const link = document.createElement("a");
    Object.assign(link, { href: image.after, download: resultName(image) }).click();
  }
});

networks.forEach(({ label }, index) => element("network").append(new Option(label, index)));
element("network").closest("label").hidden = networks.length < 2;
element("percent").textContent = `${element("strength").value} %`;
show();
let worker = null;
if (globalThis.Worker && globalThis.OffscreenCanvas) worker = started();
else answers.unable({ reason: "This browser is too old for this page: it lacks OffscreenCanvas." });
