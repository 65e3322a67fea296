for (const section of document.querySelectorAll(".preview")) {
  const after = section.querySelector("img.after");
  const label = section.querySelector(".frame > .right");
  const show = choice => {
    after.src = choice.dataset.after;
    label.textContent = choice.value;
  };
  for (const choice of section.querySelectorAll(".choices input")) {
    choice.addEventListener("change", () => show(choice));
    if (choice.checked) show(choice);  // a reloaded page keeps the choice
  }
}
