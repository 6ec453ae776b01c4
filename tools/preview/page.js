"use strict";
// Draws summaries where they come into view. `preview.shot` shows one alone and is what the screenshots call.
const preview = (() => {
  const all = { theme: ["light", "dark"], width: ["wide", "narrow"] };
  const asked = new URLSearchParams(location.search);
  const chosen = { theme: asked.get("theme") ?? "light", width: asked.get("width") ?? "wide" };
  let turn = Promise.resolve();
  let number = 0;

  // One diagram at a time, since mermaid's settings are global. It draws as wide as the element that it is given.
  function draw(source, holder, theme) {
    turn = turn.then(async () => {
      if (!holder.isConnected) return;
      mermaid.initialize({
        startOnLoad: false,
        securityLevel: "strict",
        suppressErrorRendering: true,
        theme: theme === "dark" ? "dark" : "default",
      });
      try {
        const { svg } = await mermaid.render(`diagram-${(number += 1)}`, source, holder);
        holder.innerHTML = svg;
      } catch (fault) {
        holder.className = "diagram-failure";
        holder.textContent = `Unable to render rich display\n\n${fault.message}`;
      }
    });
    return turn;
  }

  function notesOn(pane) {
    const notes = [];
    for (const block of pane.querySelectorAll("table, pre")) {
      if (block.scrollWidth > block.clientWidth + 1)
        notes.push(`${block.localName} scrolls sideways: ${block.scrollWidth} px in ${block.clientWidth} px`);
    }
    if (pane.scrollWidth > pane.clientWidth + 1)
      notes.push(`the page itself is too wide: ${pane.scrollWidth} px in ${pane.clientWidth} px`);
    for (const failure of pane.querySelectorAll(".diagram-failure")) notes.push(failure.textContent);
    return notes;
  }

  // Those characters that are drawn as one is that no font has.
  function boxes(text) {
    const canvas = document.createElement("canvas");
    canvas.width = canvas.height = 64;
    const pen = canvas.getContext("2d", { willReadFrequently: true });
    pen.font = `32px ${getComputedStyle(document.body).fontFamily}`;
    const drawn = (character) => {
      pen.clearRect(0, 0, 64, 64);
      pen.fillText(character, 8, 44);
      return canvas.toDataURL();
    };
    const box = drawn("\u{10FFFD}");
    return [...text].filter((character) => drawn(character) === box).join("");
  }

  async function mount(story, theme, width) {
    const frame = document.createElement("div");
    const pane = document.createElement("div");
    pane.className = "pane markdown-body";
    pane.dataset.theme = theme;
    pane.dataset.width = width;
    pane.append(story.querySelector("template").content.cloneNode(true));
    const list = document.createElement("ul");
    list.className = "notes";
    frame.append(pane, list);
    story.querySelector(".panes").append(frame);
    const drawn = [];
    for (const block of pane.querySelectorAll('pre[lang="mermaid"]')) {
      const holder = document.createElement("div");
      holder.className = "diagram";
      const source = block.textContent;
      block.replaceWith(holder);
      drawn.push(draw(source, holder, theme));
    }
    await Promise.all(drawn);
    const notes = notesOn(pane);
    for (const note of notes) list.append(Object.assign(document.createElement("li"), { textContent: note }));
    return { pane, notes };
  }

  const empty = (story) => story.querySelector(".panes").replaceChildren();
  const picked = (what) => all[what].filter((value) => chosen[what] === "both" || chosen[what] === value);

  const observer = new IntersectionObserver(
    (entries) => {
      for (const { target, isIntersecting } of entries) {
        if (!isIntersecting || target.querySelector(".pane")) continue;
        for (const theme of picked("theme")) for (const width of picked("width")) mount(target, theme, width);
      }
    },
    { rootMargin: "600px" },
  );
  const stories = [...document.querySelectorAll(".story")];

  function refresh() {
    for (const button of document.querySelectorAll(".choice button"))
      button.classList.toggle("chosen", chosen[button.parentElement.dataset.of] === button.value);
    observer.disconnect();
    for (const story of stories) {
      empty(story);
      observer.observe(story);
    }
  }

  for (const button of document.querySelectorAll(".choice button"))
    button.addEventListener("click", () => {
      chosen[button.parentElement.dataset.of] = button.value;
      refresh();
    });
  if (!asked.has("alone")) refresh();

  async function shot(name, theme, width) {
    document.body.classList.add("alone");
    for (const story of stories) {
      story.classList.toggle("shown", story.id === name);
      empty(story);
    }
    const { pane, notes } = await mount(document.getElementById(name), theme, width);
    const { x, y, width: wide, height } = pane.getBoundingClientRect();
    return { x: x + scrollX, y: y + scrollY, width: wide, height, notes };
  }
  return { boxes, shot };
})();
