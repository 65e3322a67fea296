"use strict";
for (const slider of document.querySelectorAll(".slider")) {
  const compare = slider.querySelector(".compare");
  const view = compare.parentElement;
  const range = slider.querySelector("input");
  const zoom = slider.querySelector("select");

  const cut = percent => compare.style.setProperty("--cut", percent + "%");
  const cutAt = event => {
    const box = compare.getBoundingClientRect();
    const share = (event.clientX - box.left) / box.width;
    const percent = 100 * Math.min(Math.max(share, 0), 1);
    cut(percent);
    range.value = percent;
  };
  // The range input serves the keyboard and screen readers. Mouse and finger are handled here,
  // since in some browsers a finger moves only the thumb of the input, which is one pixel wide.
  compare.addEventListener("pointerdown", event => {
    if (event.button !== 0) return;
    event.preventDefault();
    compare.setPointerCapture(event.pointerId);
    range.focus({ preventScroll: true });
    cutAt(event);
  });
  compare.addEventListener("pointermove", event => {
    if (compare.hasPointerCapture(event.pointerId)) cutAt(event);
  });
  range.addEventListener("input", () => cut(range.value));
  zoom.addEventListener("change", () => {
    const fit = zoom.value === "fit";
    compare.classList.toggle("fit", fit);
    compare.classList.toggle("enlarged", Number(zoom.value) > 1);
    compare.style.setProperty("--zoom", fit ? 1 : zoom.value);
    // The middle of the image stays in view.
    view.scrollTo(
      (view.scrollWidth - view.clientWidth) / 2, (view.scrollHeight - view.clientHeight) / 2);
  });
  cut(range.value);  // a reloaded page keeps the value of the input
}
